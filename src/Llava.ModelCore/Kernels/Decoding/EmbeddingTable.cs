using Llava.ModelCore.Kernels.Weights;

namespace Llava.ModelCore.Kernels.Decoding;

/// <summary>The token embeddings (vocabulary, hidden), row by row.</summary>
/// <param name="rows">Tokens.</param>
/// <param name="columns">Hidden size.</param>
/// <param name="format">Float32 or BFloat16.</param>
internal sealed unsafe class EmbeddingTable(int rows, int columns, WeightFormat format) : IDisposable
{
    private readonly NativeBuffer<byte> _rows = new((long)rows * columns * ElementBytes(format));

    /// <summary>Bytes of all rows.</summary>
    public long Bytes => _rows.Bytes;

    /// <summary>Bytes of a table.</summary>
    public static long BytesOf(int rows, int columns, WeightFormat format) => (long)rows * columns * ElementBytes(format);

    /// <summary>Rounds one row into its place.</summary>
    public void SetRow(int row, ReadOnlySpan<float> values)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Length, columns, nameof(values));
        if (format == WeightFormat.Float32)
        {
            values.CopyTo(new Span<float>(PlaceOf(row), columns));
            return;
        }

        var target = (ushort*)PlaceOf(row);
        for (var i = 0; i < columns; i++)
        {
            target[i] = BFloat16Bits.FromSingle(values[i]);
        }
    }

    /// <summary>Copies a token's embedding.</summary>
    /// <param name="token">Its id.</param>
    /// <param name="target">Gets (hidden) numbers.</param>
    public void Read(int token, float* target)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)token, (uint)rows, nameof(token));
        if (format == WeightFormat.Float32)
        {
            new ReadOnlySpan<float>(PlaceOf(token), columns).CopyTo(new Span<float>(target, columns));
            return;
        }

        var source = (ushort*)PlaceOf(token);
        for (var i = 0; i < columns; i++)
        {
            target[i] = BFloat16Bits.ToSingle(source[i]);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _rows.Dispose();

    private static int ElementBytes(WeightFormat format) => format == WeightFormat.Float32 ? sizeof(float) : sizeof(ushort);

    private byte* PlaceOf(int row) => _rows.Start + ((long)row * columns * ElementBytes(format));
}
