using Llava.ModelCore.Models;
using static TorchSharp.torch;

namespace Llava.ModelCore.Engine;

/// <summary>Causal attention over extents: writes the pass's keys and values, then lets each sequence attend to its own. Rows after the last span are padding and get zeros.</summary>
internal sealed class ExtentAttention : IAttention
{
    private readonly KvArena _arena;
    private readonly SpanAttention _attention;
    private readonly Tensor _targets;

    /// <param name="arena">Where keys and values lie.</param>
    /// <param name="spans">The pass's rows in order.</param>
    /// <param name="device">Where the model computes.</param>
    /// <param name="slopes">Slopes of the heads' linear biases, float32 (heads); null where positions are in the keys already.</param>
    public ExtentAttention(KvArena arena, IReadOnlyList<AttentionSpan> spans, Device device, Tensor? slopes = null)
    {
        (_arena, _attention) = (arena, new SpanAttention(arena, spans, device, slopes));
        _targets = tensor([.. spans.SelectMany(s => Enumerable.Range(s.ExtentStart + s.FirstPosition, s.Count)).Select(p => (long)p)], device: device);
    }

    /// <inheritdoc/>
    public Tensor Attend(int layer, Tensor query, Tensor key, Tensor value)
    {
        using var scope = NewDisposeScope();
        _arena.Write(layer, _targets, key.narrow(0, 0, _attention.Rows), value.narrow(0, 0, _attention.Rows));
        return _attention.Mix(layer, query).MoveToOuterDisposeScope();
    }
}
