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
/// Causal attention of a pass's rows to keys and values that lie in extents already, in float32 with torch's own products: one sequence after the
/// other, so that no product has a shape that depends on a neighbour.
/// </summary>
/// <param name="arena">Where keys and values lie, in any type.</param>
/// <param name="spans">The pass's rows in order.</param>
/// <param name="device">Where the model computes.</param>
/// <param name="slopes">Slopes of the heads' linear biases, float32 (heads); null where positions are in the keys already.</param>
internal sealed class SpanAttention(KvArena arena, IReadOnlyList<AttentionSpan> spans, Device device, Tensor? slopes = null)
{
    private readonly Tensor?[] _masks = [.. spans.Select(span => Mask(span, device, slopes))];

    /// <summary>Rows of the spans together.</summary>
    public int Rows { get; } = spans.Sum(span => span.Count);

    /// <summary>Attends for one layer: (rows, heads, size) → the same, float32. Rows after the last span get zeros.</summary>
    public Tensor Mix(int layer, Tensor query)
    {
        using var scope = NewDisposeScope();
        var scaled = query.to(ScalarType.Float32).mul(Scalars.Of(1 / Math.Sqrt(query.shape[2])));
        var results = new Tensor[spans.Count + 1];
        var row = 0;
        for (var i = 0; i < spans.Count; i++)
        {
            results[i] = Attend(layer, scaled.narrow(0, row, spans[i].Count), spans[i], _masks[i]);
            row += spans[i].Count;
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
        var keys = arena.Keys(layer, span.ExtentStart, span.Visible).to(ScalarType.Float32).permute(1, 2, 0); // (kv heads, size, visible)
        var values = arena.Values(layer, span.ExtentStart, span.Visible).to(ScalarType.Float32).transpose(0, 1); // (kv heads, visible, size)
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
