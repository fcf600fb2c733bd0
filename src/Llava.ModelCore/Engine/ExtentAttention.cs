using Llava.ModelCore.Models;
using Llava.ModelCore.Native;
using static TorchSharp.torch;

namespace Llava.ModelCore.Engine;

/// <summary>Rows of a pass that continue one sequence.</summary>
/// <param name="ExtentStart">Where the sequence's extent starts in the arena.</param>
/// <param name="FirstPosition">Position of the first row in the sequence.</param>
/// <param name="Count">Rows; 1 when decoding.</param>
internal readonly record struct AttentionSpan(int ExtentStart, int FirstPosition, int Count)
{
    /// <summary>Positions the last row sees, itself included.</summary>
    public int Visible => FirstPosition + Count;
}

/// <summary>
/// Causal attention over extents: writes the pass's keys and values, then lets each sequence attend to its own, one after the
/// other, so that no product has a shape that depends on a neighbour. Rows after the last span are padding and get zeros.
/// </summary>
internal sealed class ExtentAttention : IAttention
{
    private readonly KvArena _arena;
    private readonly IReadOnlyList<AttentionSpan> _spans;
    private readonly int _rows;
    private readonly Tensor _targets;
    private readonly Tensor?[] _masks;

    /// <param name="arena">Where keys and values lie.</param>
    /// <param name="spans">The pass's rows in order.</param>
    /// <param name="device">Where the model computes.</param>
    /// <param name="slopes">Slopes of the heads' linear biases, float32 (heads); null where positions are in the keys already.</param>
    public ExtentAttention(KvArena arena, IReadOnlyList<AttentionSpan> spans, Device device, Tensor? slopes = null)
    {
        _arena = arena;
        _spans = spans;
        _rows = spans.Sum(span => span.Count);
        _targets = tensor([.. spans.SelectMany(s => Enumerable.Range(s.ExtentStart + s.FirstPosition, s.Count)).Select(p => (long)p)], device: device);
        _masks = [.. spans.Select(span => Mask(span, device, slopes))];
    }

    /// <inheritdoc/>
    public Tensor Attend(int layer, Tensor query, Tensor key, Tensor value)
    {
        using var scope = NewDisposeScope();
        _arena.Write(layer, _targets, key.narrow(0, 0, _rows), value.narrow(0, 0, _rows));
        var scaled = query.to(ScalarType.Float32).mul(Scalars.Of(1 / Math.Sqrt(query.shape[2])));
        var results = new Tensor[_spans.Count + 1];
        var row = 0;
        for (var i = 0; i < _spans.Count; i++)
        {
            results[i] = Attend(layer, scaled.narrow(0, row, _spans[i].Count), _spans[i], _masks[i]);
            row += _spans[i].Count;
        }

        results[^1] = zeros(query.shape[0] - row, query.shape[1], query.shape[2], device: query.device);
        return cat(results, 0).MoveToOuterDisposeScope();
    }

    /// <summary>What is added to the scores: the bias, if there is one, and −∞ in the causal future: (count, visible), or (heads, count, visible) with a bias; null for nothing.</summary>
    private static Tensor? Mask(AttentionSpan span, Device device, Tensor? slopes)
    {
        var bias = slopes is null ? null : Alibi.Bias(slopes, span.FirstPosition, span.Count, span.Visible);
        if (span.Count == 1)
        {
            return bias;
        }

        var future = full([span.Count, span.Visible], Scalars.Of(double.NegativeInfinity), ScalarType.Float32, device).triu(span.FirstPosition + 1);
        return bias is null ? future : bias.add_(future, Scalars.One);
    }

    /// <summary>One sequence's rows: (count, heads, size) → the same. Query heads of a group share a product with their key head.</summary>
    private Tensor Attend(int layer, Tensor query, AttentionSpan span, Tensor? mask)
    {
        var (count, heads, size) = (query.shape[0], query.shape[1], query.shape[2]);
        var keys = _arena.Keys(layer, span.ExtentStart, span.Visible).permute(1, 2, 0); // (kv heads, size, visible)
        var values = _arena.Values(layer, span.ExtentStart, span.Visible).transpose(0, 1); // (kv heads, visible, size)
        var shared = keys.shape[0];
        if (count == 1)
        {
            var row = query.view(shared, heads / shared, size).bmm(keys);
            return (mask is null ? row : row.add_(mask.view(row.shape), Scalars.One)).softmax(-1).bmm(values).view(1, heads, size);
        }

        var grouped = query.view(count, shared, heads / shared, size).permute(1, 2, 0, 3).reshape(shared, -1, size); // (kv heads, group·count, size)
        var visible = mask!.dim() == 2 ? mask : mask.view(shared, heads / shared, count, -1);
        var scores = grouped.bmm(keys).view(shared, heads / shared, count, -1).add_(visible, Scalars.One);
        var mixed = scores.softmax(-1).view(shared, -1, span.Visible).bmm(values); // (kv heads, group·count, size)
        return mixed.view(shared, heads / shared, count, size).permute(2, 0, 1, 3).reshape(count, heads, size);
    }
}
