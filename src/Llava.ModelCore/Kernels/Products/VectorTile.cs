using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Llava.ModelCore.Kernels.Weights;

namespace Llava.ModelCore.Kernels.Products;

/// <summary>A panel times a few tokens in vectors of 256 bits, for any way to make a dot product.</summary>
internal static unsafe class VectorTile<TDot>
    where TDot : struct, IDotProduct
{
    private const int StepBytes = Panel.Lanes * Panel.Step;
    private const int VectorBytes = 32;

    // Ahead of the loads: the processor's own prefetcher stops at the end of a page.
    private const int PrefetchBytes = 4096;

    /// <summary>Tokens that share each load of weights.</summary>
    public const int Abreast = 4;

    /// <summary>Computes the outputs of 32 rows.</summary>
    public static void Multiply(in Tile tile, WeightFormat format, int tokens, bool adds)
    {
        for (var block = 0; block < Panel.Rows / Panel.Lanes; block++)
        {
            if (tokens == Abreast)
            {
                MultiplyFour(tile, format, block, adds);
                continue;
            }

            for (var token = 0; token < tokens; token++)
            {
                MultiplyOne(tile, format, block, token, adds);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyOne(in Tile tile, WeightFormat format, int block, int token, bool adds)
    {
        var weights = tile.Weights + (block * Panel.BlockBytes(format));
        var scales = (ushort*)(tile.Weights + (2 * Panel.BlockBytes(format))) + (block * Panel.Lanes);
        var x = tile.Tokens + (token * QuantizedRows.RecordBytes(format));
        var (isWhole, record) = (format != WeightFormat.Int4, Panel.RecordBytes(format));
        var (low, high) = (Vector256<float>.Zero, Vector256<float>.Zero);
        for (var group = 0L; group < tile.Groups; group++)
        {
            Prefetch(weights, format);
            var sumLow = Vector256.Create(*(int*)(x + QuantizedRows.StartOffset));
            var sumHigh = sumLow;
            var steps = Panel.BlockBytes(format) / StepBytes;
            for (var step = 0; step < steps; step++)
            {
                var (first, second) = (Vector256.Load(weights + (step * StepBytes)), Vector256.Load(weights + (step * StepBytes) + VectorBytes));
                var columns = Columns(x, step);
                sumLow = TDot.Add(sumLow, isWhole ? first : Low(first), columns);
                sumHigh = TDot.Add(sumHigh, isWhole ? second : Low(second), columns);
                if (!isWhole)
                {
                    columns = Columns(x, step + steps);
                    sumLow = TDot.Add(sumLow, High(first), columns);
                    sumHigh = TDot.Add(sumHigh, High(second), columns);
                }
            }

            var scale = Vector256.Create(*(float*)(x + QuantizedRows.ScaleOffset));
            low = Vector256.FusedMultiplyAdd(Vector256.ConvertToSingle(sumLow), BFloat16Bits.Load8(scales) * scale, low);
            high = Vector256.FusedMultiplyAdd(Vector256.ConvertToSingle(sumHigh), BFloat16Bits.Load8(scales + 8) * scale, high);
            weights += record;
            scales = (ushort*)((byte*)scales + record);
            x += tile.GroupStride;
        }

        Store(tile, block, token, low, high, adds);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyFour(in Tile tile, WeightFormat format, int block, bool adds)
    {
        var weights = tile.Weights + (block * Panel.BlockBytes(format));
        var scales = (ushort*)(tile.Weights + (2 * Panel.BlockBytes(format))) + (block * Panel.Lanes);
        var x = tile.Tokens;
        var next = QuantizedRows.RecordBytes(format);
        var (isWhole, record) = (format != WeightFormat.Int4, Panel.RecordBytes(format));
        Vector256<float> a0 = default, a1 = default, a2 = default, a3 = default, b0 = default, b1 = default, b2 = default, b3 = default;
        for (var group = 0L; group < tile.Groups; group++)
        {
            var (s0, s1, s2, s3) = (Start(x), Start(x + next), Start(x + (2 * next)), Start(x + (3 * next)));
            var (t0, t1, t2, t3) = (s0, s1, s2, s3);
            var steps = Panel.BlockBytes(format) / StepBytes;
            for (var step = 0; step < steps; step++)
            {
                var (first, second) = (Vector256.Load(weights + (step * StepBytes)), Vector256.Load(weights + (step * StepBytes) + VectorBytes));
                var (w, v) = isWhole ? (first, second) : (Low(first), Low(second));
                (s0, t0) = Add(s0, t0, w, v, Columns(x, step));
                (s1, t1) = Add(s1, t1, w, v, Columns(x + next, step));
                (s2, t2) = Add(s2, t2, w, v, Columns(x + (2 * next), step));
                (s3, t3) = Add(s3, t3, w, v, Columns(x + (3 * next), step));
                if (!isWhole)
                {
                    (w, v) = (High(first), High(second));
                    (s0, t0) = Add(s0, t0, w, v, Columns(x, step + steps));
                    (s1, t1) = Add(s1, t1, w, v, Columns(x + next, step + steps));
                    (s2, t2) = Add(s2, t2, w, v, Columns(x + (2 * next), step + steps));
                    (s3, t3) = Add(s3, t3, w, v, Columns(x + (3 * next), step + steps));
                }
            }

            var (scaleLow, scaleHigh) = (BFloat16Bits.Load8(scales), BFloat16Bits.Load8(scales + 8));
            (a0, b0) = (Scaled(s0, scaleLow, x, a0), Scaled(t0, scaleHigh, x, b0));
            (a1, b1) = (Scaled(s1, scaleLow, x + next, a1), Scaled(t1, scaleHigh, x + next, b1));
            (a2, b2) = (Scaled(s2, scaleLow, x + (2 * next), a2), Scaled(t2, scaleHigh, x + (2 * next), b2));
            (a3, b3) = (Scaled(s3, scaleLow, x + (3 * next), a3), Scaled(t3, scaleHigh, x + (3 * next), b3));
            weights += record;
            scales = (ushort*)((byte*)scales + record);
            x += tile.GroupStride;
        }

        Store(tile, block, 0, a0, b0, adds);
        Store(tile, block, 1, a1, b1, adds);
        Store(tile, block, 2, a2, b2, adds);
        Store(tile, block, 3, a3, b3, adds);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<int> Low, Vector256<int> High) Add(Vector256<int> low, Vector256<int> high, Vector256<byte> first, Vector256<byte> second, Vector256<sbyte> columns) =>
        (TDot.Add(low, first, columns), TDot.Add(high, second, columns));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Start(byte* x) => Vector256.Create(*(int*)(x + QuantizedRows.StartOffset));

    /// <summary>The columns of a token in a step, for every row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<sbyte> Columns(byte* x, int step) => Vector256.Create(*(int*)(x + QuantizedRows.LevelsOffset + (step * Panel.Step))).AsSByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Scaled(Vector256<int> sum, Vector256<float> scale, byte* x, Vector256<float> total) => Vector256.FusedMultiplyAdd(
        Vector256.ConvertToSingle(sum), scale * Vector256.Create(*(float*)(x + QuantizedRows.ScaleOffset)), total);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> Low(Vector256<byte> pairs) => pairs & Vector256.Create((byte)0xF);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<byte> High(Vector256<byte> pairs) => Vector256.ShiftRightLogical(pairs.AsUInt16(), 4).AsByte() & Vector256.Create((byte)0xF);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(byte* weights, WeightFormat format)
    {
        if (Sse.IsSupported)
        {
            for (var line = 0; line < Panel.BlockBytes(format); line += 64)
            {
                Sse.Prefetch0(weights + PrefetchBytes + line);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(in Tile tile, int block, int token, Vector256<float> low, Vector256<float> high, bool adds)
    {
        var output = (float*)((byte*)tile.Output + (token * tile.OutputStride)) + (block * Panel.Lanes);
        (adds ? Vector256.Load(output) + low : low).Store(output);
        (adds ? Vector256.Load(output + 8) + high : high).Store(output + 8);
    }
}
