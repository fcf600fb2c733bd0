using Llava.ModelCore.Checkpoints;

namespace Llava.ModelCore.Kernels.Attention;

/// <summary>
/// Keys and values of every position of the arena, for each layer and head. Keys lie in blocks of 16 positions with lane = position, values in
/// rows filled up to whole vectors: the order in which attention reads them.
/// </summary>
internal abstract unsafe class KeyValueStore : IDisposable
{
    /// <summary>Positions of a block of keys.</summary>
    public const int BlockPositions = 16;

    private readonly NativeBuffer<byte>[] _keys;
    private readonly NativeBuffer<byte>[] _values;
    private readonly int _positions;
    private readonly int _bytes;

    /// <param name="config">Layers, heads and their size.</param>
    /// <param name="positions">Positions of the arena; a multiple of <see cref="BlockPositions"/>.</param>
    /// <param name="elementBytes">Bytes of a number.</param>
    protected KeyValueStore(LanguageModelConfig config, int positions, int elementBytes)
    {
        (Heads, Size, PaddedSize, _positions, _bytes) = (config.KeyValueHeads, config.HeadSize, Padded(config.HeadSize), positions, elementBytes);
        _keys = [.. Enumerable.Range(0, config.Layers).Select(_ => new NativeBuffer<byte>((long)Heads * positions * Size * elementBytes))];
        _values = [.. Enumerable.Range(0, config.Layers).Select(_ => new NativeBuffer<byte>((long)Heads * positions * PaddedSize * elementBytes))];
    }

    /// <summary>Heads that keys and values have.</summary>
    public int Heads { get; }

    /// <summary>Size of a head.</summary>
    public int Size { get; }

    /// <summary>Size of a head, filled up to whole vectors.</summary>
    public int PaddedSize { get; }

    /// <summary>A store in bfloat16, or in float32.</summary>
    public static KeyValueStore Create(LanguageModelConfig config, int positions, bool isHalf) =>
        isHalf ? new KeyValueStore<BFloat16Element>(config, positions) : new KeyValueStore<SingleElement>(config, positions);

    /// <summary>Bytes of one position in all layers.</summary>
    public static long BytesPerPosition(LanguageModelConfig config, bool isHalf) =>
        (long)config.Layers * config.KeyValueHeads * (config.HeadSize + Padded(config.HeadSize)) * (isHalf ? sizeof(ushort) : sizeof(float));

    /// <summary>Stores one position's key and value of one head.</summary>
    /// <param name="layer">Layer.</param>
    /// <param name="head">Key-value head.</param>
    /// <param name="position">In the arena.</param>
    /// <param name="key">(size), rotated.</param>
    /// <param name="value">(size).</param>
    public abstract void Write(int layer, int head, int position, float* key, float* value);

    /// <summary>Attends with some queries of one sequence and one key-value head.</summary>
    public abstract void Attend(in AttentionTask task, float* scratch);

    /// <summary>Copies positions of all layers from one extent to another; both start on a block's boundary.</summary>
    public void Copy(int source, int target, int count)
    {
        var blocks = (count + BlockPositions - 1) / BlockPositions * BlockPositions;
        for (var layer = 0; layer < _keys.Length; layer++)
        {
            for (var head = 0; head < Heads; head++)
            {
                Buffer.MemoryCopy(KeysAt(layer, head, source), KeysAt(layer, head, target), long.MaxValue, (long)blocks * Size * _bytes);
                Buffer.MemoryCopy(ValuesAt(layer, head, source), ValuesAt(layer, head, target), long.MaxValue, (long)count * PaddedSize * _bytes);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Array.ForEach(_keys, buffer => buffer.Dispose());
        Array.ForEach(_values, buffer => buffer.Dispose());
        GC.SuppressFinalize(this);
    }

    /// <summary>Where the keys of a block's first position lie.</summary>
    protected byte* KeysAt(int layer, int head, int position) => _keys[layer].Start + ((((long)head * _positions) + position) * Size * _bytes);

    /// <summary>Where a position's value lies.</summary>
    protected byte* ValuesAt(int layer, int head, int position) => _values[layer].Start + ((((long)head * _positions) + position) * PaddedSize * _bytes);

    private static int Padded(int size) => (size + BlockPositions - 1) / BlockPositions * BlockPositions;
}
