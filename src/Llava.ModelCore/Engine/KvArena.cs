using Llava.ModelCore.Checkpoints;
using static TorchSharp.torch;

namespace Llava.ModelCore.Engine;

/// <summary>Keys and values of everything the engine remembers: one pair of tensors per layer, allocated once, cut into extents.</summary>
internal sealed class KvArena : IDisposable
{
    // Each (positions, key-value heads, head size), float32. Positions nobody wrote are never read, so they are not cleared.
    private readonly Tensor[] _keys;
    private readonly Tensor[] _values;

    /// <param name="config">The decoder.</param>
    /// <param name="positions">How many there is room for.</param>
    /// <param name="layers">The device of each layer.</param>
    public KvArena(LanguageModelConfig config, int positions, IEnumerable<Device> layers)
    {
        _keys = [.. layers.Select(Allocate)];
        _values = [.. layers.Select(Allocate)];

        Tensor Allocate(Device device) => empty(positions, config.KeyValueHeads, config.HeadSize, ScalarType.Float32, device).DetachFromDisposeScope();
    }

    /// <summary>Bytes of one position in all layers.</summary>
    public static long BytesPerPosition(LanguageModelConfig config) => 2L * sizeof(float) * config.Layers * config.KeyValueHeads * config.HeadSize;

    /// <summary>Stores (tokens, key-value heads, head size) at the given arena positions, int64 (tokens).</summary>
    public void Write(int layer, Tensor positions, Tensor key, Tensor value)
    {
        _keys[layer].index_copy_(0, positions, key.to(ScalarType.Float32));
        _values[layer].index_copy_(0, positions, value.to(ScalarType.Float32));
    }

    /// <summary>A view of keys: (count, key-value heads, head size).</summary>
    public Tensor Keys(int layer, int start, int count) => _keys[layer].narrow(0, start, count);

    /// <summary>A view of values: (count, key-value heads, head size).</summary>
    public Tensor Values(int layer, int start, int count) => _values[layer].narrow(0, start, count);

    /// <summary>Copies positions of all layers from one extent into another.</summary>
    public void Copy(int source, int target, int count)
    {
        using var scope = NewDisposeScope();
        foreach (var tensor in _keys.Concat(_values))
        {
            tensor.narrow(0, target, count).copy_(tensor.narrow(0, source, count));
        }
    }

    public void Dispose()
    {
        foreach (var tensor in _keys.Concat(_values))
        {
            tensor.Dispose();
        }
    }
}
