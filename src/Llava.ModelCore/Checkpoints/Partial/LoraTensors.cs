using System.Diagnostics.CodeAnalysis;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Checkpoints.Partial;

/// <summary>A base with an adapter merged into it as it is read: W + scaling·B·A, in float32 (spec 2.7). Owns both.</summary>
internal sealed class LoraTensors : ITensorSource
{
    private readonly ITensorSource _base;
    private readonly LoraAdapter _adapter;
    private readonly Dictionary<string, LoraPair> _pairs;

    /// <exception cref="CheckpointException">The adapter does not fit the base.</exception>
    public LoraTensors(ITensorSource start, LoraAdapter adapter)
    {
        (_base, _adapter, _pairs) = (start, adapter, adapter.Pairs.ToDictionary(pair => pair.Weight));
        foreach (var pair in adapter.Pairs)
        {
            if (!start.TryGetEntry(pair.Weight, out var weight) || !weight.Shape.SequenceEqual([pair.B.Shape[0], pair.A.Shape[1]]))
            {
                throw new CheckpointException($"'{adapter.Path}' adapts '{pair.Weight}' of shape [{pair.B.Shape[0]}, {pair.A.Shape[1]}]; {(weight is null ? $"base '{start.Path}' has no such tensor" : $"in base '{start.Path}' it is [{string.Join(", ", weight.Shape)}]")}. The adapter belongs to another base.");
            }
        }
    }

    public string Path => _adapter.Path;

    public IReadOnlyCollection<TensorEntry> Entries => [.. _base.Entries.Select(Merged)];

    public bool TryGetEntry(string name, [NotNullWhen(true)] out TensorEntry? entry)
    {
        entry = _base.TryGetEntry(name, out var found) ? Merged(found) : null;
        return entry is not null;
    }

    public Tensor Read(string name)
    {
        if (!_pairs.TryGetValue(name, out var pair))
        {
            return _base.Read(name);
        }

        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        using var scaling = pair.Scaling.ToScalar();
        var weight = _base.Read(name).to(ScalarType.Float32);
        return weight.add(_adapter.Read(pair.B).matmul(_adapter.Read(pair.A)), scaling).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _adapter.Dispose();
        _base.Dispose();
    }

    private TensorEntry Merged(TensorEntry entry) => _pairs.ContainsKey(entry.Name) ? entry with { Type = ScalarType.Float32 } : entry;
}
