using Llava.ModelCore.Checkpoints;
using static TorchSharp.torch;

namespace Llava.ModelCore.Engine;

/// <summary>Keys and values of everything the engine remembers: one tensor on each device, allocated once, cut into extents.</summary>
internal sealed class KvArena : IDisposable
{
    // (2 · the device's layers, positions, key-value heads, head size): a layer's keys, then its values. Positions nobody wrote are never read, so they are not cleared.
    private readonly Tensor[] _blocks;
    private readonly Tensor[] _keys;
    private readonly Tensor[] _values;

    /// <param name="config">Sizes.</param>
    /// <param name="positions">Positions.</param>
    /// <param name="layers">The device of each layer.</param>
    /// <param name="type">What numbers are rounded to. Default float32.</param>
    public KvArena(LanguageModelConfig config, int positions, IReadOnlyList<Device> layers, ScalarType type = ScalarType.Float32)
    {
        _blocks = [.. layers.GroupBy(device => device.ToString()).Select(on => empty(2 * on.Count(), positions, config.KeyValueHeads, config.HeadSize, type, on.First()).DetachFromDisposeScope())];
        var pairs = _blocks.SelectMany(block => Enumerable.Range(0, (int)block.shape[0] / 2).Select(i => (Key: block.select(0, 2 * i), Value: block.select(0, (2 * i) + 1)))).ToList();
        _keys = [.. pairs.Select(pair => pair.Key.DetachFromDisposeScope())];
        _values = [.. pairs.Select(pair => pair.Value.DetachFromDisposeScope())];
    }

    /// <summary>Bytes of one position in all layers.</summary>
    /// <param name="config">Sizes.</param>
    /// <param name="elementBytes">Bytes of a number. Default 4.</param>
    public static long BytesPerPosition(LanguageModelConfig config, int elementBytes = sizeof(float)) => 2L * elementBytes * config.Layers * config.KeyValueHeads * config.HeadSize;

    /// <summary>Stores (tokens, key-value heads, head size) at the given arena positions, int64 (tokens).</summary>
    public void Write(int layer, Tensor positions, Tensor key, Tensor value)
    {
        _keys[layer].index_copy_(0, positions, key.to(_keys[layer].dtype));
        _values[layer].index_copy_(0, positions, value.to(_values[layer].dtype));
    }

    /// <summary>All keys of a layer: (positions, key-value heads, head size). The arena's own.</summary>
    public Tensor Keys(int layer) => _keys[layer];

    /// <summary>All values of a layer: (positions, key-value heads, head size). The arena's own.</summary>
    public Tensor Values(int layer) => _values[layer];

    /// <summary>A view of keys: (count, key-value heads, head size).</summary>
    public Tensor Keys(int layer, int start, int count) => _keys[layer].narrow(0, start, count);

    /// <summary>A view of values: (count, key-value heads, head size).</summary>
    public Tensor Values(int layer, int start, int count) => _values[layer].narrow(0, start, count);

    /// <summary>Copies positions of all layers from one extent into another.</summary>
    public void Copy(int source, int target, int count)
    {
        using var scope = NewDisposeScope();
        foreach (var block in _blocks)
        {
            block.narrow(1, target, count).copy_(block.narrow(1, source, count));
        }
    }

    public void Dispose()
    {
        foreach (var tensor in (Tensor[])[.. _keys, .. _values, .. _blocks])
        {
            tensor.Dispose();
        }
    }
}
