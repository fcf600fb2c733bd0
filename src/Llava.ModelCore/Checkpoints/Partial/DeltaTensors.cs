using System.Diagnostics.CodeAnalysis;
using static TorchSharp.torch;

namespace Llava.ModelCore.Checkpoints.Partial;

/// <summary>
/// A model given as differences to its base: target = delta + base, in float16; a table with more rows than the base's is added to where the base has rows,
/// and what the base does not have, the projector, is taken as it is (spec 2.5). Owns both.
/// </summary>
internal sealed class DeltaTensors : ITensorSource
{
    private static readonly string[] Tables = ["model.embed_tokens.weight", "lm_head.weight"];

    private readonly ITensorSource _delta;
    private readonly ITensorSource _base;

    /// <exception cref="CheckpointException">A tensor of the delta has no counterpart, or one of another shape.</exception>
    public DeltaTensors(ITensorSource delta, ITensorSource start)
    {
        (_delta, _base) = (delta, start);
        try
        {
            CheckpointKind.RequireDelta(delta, "model.norm.weight");
            foreach (var entry in delta.Entries)
            {
                RequireFit(entry);
            }
        }
        catch
        {
            delta.Dispose();
            throw;
        }
    }

    public string Path => _delta.Path;

    public IReadOnlyCollection<TensorEntry> Entries => [.. _delta.Entries.Select(AsHalf)];

    public bool TryGetEntry(string name, [NotNullWhen(true)] out TensorEntry? entry)
    {
        entry = _delta.TryGetEntry(name, out var found) ? AsHalf(found) : null;
        return entry is not null;
    }

    public Tensor Read(string name)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var target = _delta.Read(name).to(ScalarType.Float16, copy: true);
        if (_base.TryGetEntry(name, out var entry))
        {
            var below = _base.Read(name).to(ScalarType.Float16);
            // In place, and only over the rows that the base has.
            var shared = entry.Shape.Count == 2 ? target.narrow(0, 0, entry.Shape[0]).narrow(1, 0, entry.Shape[1]) : target;
            shared.add_(below, Native.Scalars.One);
        }

        return target.MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _delta.Dispose();
        _base.Dispose();
    }

    private static TensorEntry AsHalf(TensorEntry entry) => entry with { Type = ScalarType.Float16 };

    private void RequireFit(TensorEntry entry)
    {
        if (!_base.TryGetEntry(entry.Name, out var below))
        {
            if (!entry.Name.StartsWith("model.mm_projector.", StringComparison.Ordinal))
            {
                throw new CheckpointException($"'{_delta.Path}' holds '{entry.Name}', which base '{_base.Path}' does not have. The delta belongs to another base, or the folder is a whole model and needs none.");
            }
        }
        else if (!entry.Shape.SequenceEqual(below.Shape)
            && !(Tables.Contains(entry.Name) && below.Shape.Count == 2 && entry.Shape[0] >= below.Shape[0] && entry.Shape[1] >= below.Shape[1]))
        {
            throw new CheckpointException($"'{_delta.Path}': '{entry.Name}' has shape [{string.Join(", ", entry.Shape)}], base '{_base.Path}' has [{string.Join(", ", below.Shape)}]. The delta belongs to another base.");
        }
    }
}
