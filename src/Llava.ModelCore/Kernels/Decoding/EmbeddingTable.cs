using Llava.ModelCore.Kernels.Weights;

namespace Llava.ModelCore.Kernels.Decoding;

/// <summary>The token embeddings (vocabulary, hidden), row by row.</summary>
/// <param name="rows">Tokens.</param>
/// <param name="columns">Hidden size.</param>
/// <param name="format">Float32, BFloat16 or Float16.</param>
/// <param name="memory">All rows, disposed with the table; null makes a table of zeros, to be filled row by row.</param>
internal sealed unsafe class EmbeddingTable(int rows, int columns, WeightFormat format, NativeBuffer<byte>? memory = null) : IDisposable
{
    private readonly NativeBuffer<byte> _rows = memory ?? new((long)rows * columns * ElementBytes(format));

    /// <summary>Bytes of all rows.</summary>
    public long Bytes => _rows.Bytes;

    /// <summary>Bytes of a table.</summary>
    public static long BytesOf(int rows, int columns, WeightFormat format) => (long)rows * columns * ElementBytes(format);

    /// <summary>Rounds one row into its place.</summary>
    public void SetRow(int row, ReadOnlySpan<float> values)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Length, columns, nameof(values));
        var target = PlaceOf(row);
        for (var i = 0; i < columns; i++)
        {
            switch (format)
            {
                case WeightFormat.Float32:
                    SingleElement.Store(target + (i * sizeof(float)), values[i]);
                    break;
                case WeightFormat.BFloat16:
                    BFloat16Element.Store(target + (i * sizeof(ushort)), values[i]);
                    break;
                default:
                    HalfElement.Store(target + (i * sizeof(ushort)), values[i]);
                    break;
            }
        }
    }

    /// <summary>Copies a token's embedding.</summary>
    /// <param name="token">Its id.</param>
    /// <param name="target">Gets (hidden) numbers.</param>
    public void Read(int token, float* target)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)token, (uint)rows, nameof(token));
        var source = PlaceOf(token);
        for (var i = 0; i < columns; i++)
        {
            target[i] = format switch
            {
                WeightFormat.Float32 => ((float*)source)[i],
                WeightFormat.BFloat16 => BFloat16Bits.ToSingle(((ushort*)source)[i]),
                _ => (float)((Half*)source)[i],
            };
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _rows.Dispose();

    private static int ElementBytes(WeightFormat format) => format == WeightFormat.Float32 ? sizeof(float) : sizeof(ushort);

    private byte* PlaceOf(int row) => _rows.Start + ((long)row * columns * ElementBytes(format));
}
