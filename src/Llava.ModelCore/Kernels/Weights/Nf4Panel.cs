using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Llava.ModelCore.Quantization;

namespace Llava.ModelCore.Kernels.Weights;

/// <summary>
/// A panel of 32 rows in NF4 with double quantization. Ahead stands what gives a row its magnitudes: where its first block is in the 256 that share a scale
/// (int32), the mean that was taken off (float32), and its scales (float32), each for all rows; then the magnitudes' codes, 32 bytes for each block of 64
/// columns; then the weights' codes: steps of eight columns, of which a row has four bytes, the first four columns in their low halves.
/// </summary>
internal static unsafe class Nf4Panel
{
    private const int Block = Nf4.Block;
    private const int Step = 8;
    private const int HalfStep = Step / 2;
    private const int StepBytes = Panel.Rows * HalfStep;
    private const int BlockBytes = Panel.Rows * Block / 2;
    private const int Line = Panel.Rows * sizeof(float);
    private const int CacheLine = 64;

    /// <summary>Whether rows of so many columns are whole blocks, so that none is shared by two of them.</summary>
    public static bool Fits(int columns) => columns % Block == 0;

    /// <summary>Bytes of a panel.</summary>
    public static long Bytes(int columns) => CodesOffset(columns) + ((long)(columns / Block) * BlockBytes);

    /// <summary>Puts a row in its place; different rows may be set by different threads.</summary>
    /// <param name="panel">The panel.</param>
    /// <param name="columns">Columns of the matrix.</param>
    /// <param name="line">Row of the panel.</param>
    /// <param name="row">Its codes.</param>
    /// <exception cref="ArgumentException">A weight is not a finite number in half precision.</exception>
    public static void SetRow(byte* panel, int columns, int line, in Nf4Row row)
    {
        ((int*)panel)[line] = row.FirstBlock;
        ((float*)(panel + Line))[line] = row.Offset;
        for (var i = 0; i < row.Scales.Length; i++)
        {
            ((float*)(panel + ((2 + i) * Line)))[line] = row.Scales[i];
        }

        for (var block = 0; block < columns / Block; block++)
        {
            panel[MagnitudesOffset(columns) + (block * Panel.Rows) + line] = row.Magnitudes[block];
            if (!Half.IsFinite((Half)MagnitudeOf(panel, columns, line, block)))
            {
                throw new ArgumentException($"A weight is {MagnitudeOf(panel, columns, line, block)} at most, which half precision is not kept for.", nameof(row));
            }
        }

        for (var column = 0; column < columns; column++)
        {
            var code = (row.Codes[column / 2] >> (column % 2 == 0 ? 4 : 0)) & 0xF;
            var (place, shift) = PlaceOf(columns, line, column);
            panel[place] = (byte)((panel[place] & ~(0xF << shift)) | (code << shift));
        }
    }

    /// <summary>What a weight has become.</summary>
    public static float Weight(byte* panel, int columns, int line, int column)
    {
        var (place, shift) = PlaceOf(columns, line, column);
        return (float)(Half)(Nf4.Values[(panel[place] >> shift) & 0xF] * MagnitudeOf(panel, columns, line, column / Block));
    }

    /// <summary>Weights as a float32 panel has them.</summary>
    /// <param name="panel">The panel.</param>
    /// <param name="columns">Columns of the matrix.</param>
    /// <param name="first">First column: a block's.</param>
    /// <param name="count">Columns: whole blocks.</param>
    /// <param name="target">Gets (count, 32) numbers.</param>
    public static void Expand(byte* panel, int columns, int first, int count, float* target)
    {
        var book = Vector512.Create(Nf4.Values);
        var codes = panel + CodesOffset(columns) + ((long)first * Panel.Rows / 2);
        for (var block = first / Block; block < (first + count) / Block; block++)
        {
            var (low, high) = (Magnitudes(panel, columns, block, 0), Magnitudes(panel, columns, block, Panel.Lanes));
            for (var step = 0; step < Block / Step; step++)
            {
                var (lower, upper) = (Vector512.Load((uint*)codes), Vector512.Load((uint*)(codes + (StepBytes / 2))));
                for (var shift = 0; shift < 32; shift += 8)
                {
                    Store(lower, shift, low, target);
                    Store(upper, shift, high, target + Panel.Lanes);
                    Store(lower, shift + 4, low, target + (HalfStep * Panel.Rows));
                    Store(upper, shift + 4, high, target + (HalfStep * Panel.Rows) + Panel.Lanes);
                    target += Panel.Rows;
                }

                target += HalfStep * Panel.Rows;
                codes += StepBytes;
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        void Store(Vector512<uint> codes, int shift, Vector512<float> magnitudes, float* target) =>
            RoundedToHalf(Vector512.ShuffleNative(book, (Vector512.ShiftRightLogical(codes, shift) & Vector512.Create(0xFu)).AsInt32()) * magnitudes).Store(target);
    }

    private static int ScalesOf(int columns) => (((columns / Block) + DynamicCode.Block - 2) / DynamicCode.Block) + 1;

    private static int MagnitudesOffset(int columns) => (2 + ScalesOf(columns)) * Line;

    private static int CodesOffset(int columns) => (MagnitudesOffset(columns) + (columns / Block * Panel.Rows) + CacheLine - 1) / CacheLine * CacheLine;

    private static (long Byte, int Shift) PlaceOf(int columns, int line, int column)
    {
        var step = CodesOffset(columns) + ((long)(column / Step) * StepBytes);
        return (step + (line * HalfStep) + (column % HalfStep), column % Step / HalfStep * 4);
    }

    private static float MagnitudeOf(byte* panel, int columns, int line, int block)
    {
        var scale = ((float*)(panel + ((2 + ((((int*)panel)[line] + block) / DynamicCode.Block)) * Line)))[line];
        var value = DynamicCode.Signed.Values[panel[MagnitudesOffset(columns) + (block * Panel.Rows) + line]] * scale;
        return value + ((float*)(panel + Line))[line];
    }

    /// <summary>The magnitudes of a block of sixteen rows.</summary>
    private static Vector512<float> Magnitudes(byte* panel, int columns, int block, int line)
    {
        var codes = panel + MagnitudesOffset(columns) + (block * Panel.Rows) + line;
        var values = stackalloc float[Panel.Lanes];
        for (var i = 0; i < Panel.Lanes; i++)
        {
            values[i] = DynamicCode.Signed.Values[codes[i]];
        }

        var place = Vector512.Load((int*)panel + line) + Vector512.Create(block);
        var scales = (float*)(panel + (2 * Line)) + line;
        var scale = Vector512.Load(scales);
        for (var i = 1; i < ScalesOf(columns); i++)
        {
            scale = Vector512.ConditionalSelect(Vector512.GreaterThanOrEqual(place, Vector512.Create(i * DynamicCode.Block)).AsSingle(), Vector512.Load(scales + (i * Panel.Rows)), scale);
        }

        return (Vector512.Load(values) * scale) + Vector512.Load((float*)(panel + Line) + line);
    }

    /// <summary>
    /// The nearest half precision, ties to even, of numbers within its range: adding one and a half times the power of two whose last bit is worth a half's
    /// last bit rounds there, and taking it off again leaves the rounded number. Denormals have the last bit of the smallest normal ones.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> RoundedToHalf(Vector512<float> values)
    {
        const float SmallestNormal = 6.103515625e-05f; // 2⁻¹⁴
        const float LostBits = 1 << 13;
        var power = Vector512.Max((values.AsUInt32() & Vector512.Create(0x7F800000u)).AsSingle(), Vector512.Create(SmallestNormal));
        var raise = power * Vector512.Create(1.5f * LostBits);
        return (values + raise) - raise;
    }
}

/// <summary>A row of a matrix in NF4 with double quantization, as <see cref="Nf4Weight"/> has it.</summary>
/// <param name="codes">Of the weights, two in a byte, the first in the high half.</param>
/// <param name="magnitudes">Codes of the magnitudes, one for each block.</param>
/// <param name="scales">Scales of the magnitudes, from that of the row's first block on.</param>
/// <param name="firstBlock">Place of the row's first block among those that share its scale.</param>
/// <param name="offset">Mean that was taken off the magnitudes.</param>
internal readonly ref struct Nf4Row(ReadOnlySpan<byte> codes, ReadOnlySpan<byte> magnitudes, ReadOnlySpan<float> scales, int firstBlock, float offset)
{
    /// <summary>Of the weights.</summary>
    public ReadOnlySpan<byte> Codes { get; } = codes;

    /// <summary>Of the magnitudes.</summary>
    public ReadOnlySpan<byte> Magnitudes { get; } = magnitudes;

    /// <summary>Of the magnitudes, float32.</summary>
    public ReadOnlySpan<float> Scales { get; } = scales;

    /// <summary>0 to 255.</summary>
    public int FirstBlock { get; } = firstBlock;

    /// <summary>What is added to every magnitude.</summary>
    public float Offset { get; } = offset;
}
