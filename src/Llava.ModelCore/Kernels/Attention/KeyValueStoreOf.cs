using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Models;

namespace Llava.ModelCore.Kernels.Attention;

/// <summary>
/// The store for one kind of number, with the attention over it: softmax(q·Kᵀ/√size)·V, causal, with linear biases where the decoder has them. Up to four queries share each load. For every
/// query the sums run in the order of the head's numbers and of the positions, so those that share a tile cannot change an answer.
/// </summary>
internal sealed unsafe class KeyValueStore<T>(LanguageModelConfig config, int positions) : KeyValueStore(config, positions, T.Bytes)
    where T : struct, IFloatElement
{
    private readonly float _scale = config.Mpt?.SoftmaxScale is { } scale ? (float)scale : 1 / MathF.Sqrt(config.HeadSize);

    // Of the query heads; empty without linear biases.
    private readonly float[] _slopes = config.Mpt is { } mpt ? Alibi.Slopes(config.Heads, mpt.AlibiBiasMax) : [];

    /// <inheritdoc/>
    public override void Write(int layer, int head, int position, float* key, float* value)
    {
        var block = position / BlockPositions * BlockPositions;
        var keys = KeysAt(layer, head, block) + (position % BlockPositions * T.Bytes);
        var values = ValuesAt(layer, head, position);
        for (var i = 0; i < Size; i++)
        {
            T.Store(keys + (i * BlockPositions * T.Bytes), key[i]);
            T.Store(values + (i * T.Bytes), value[i]);
        }
    }

    /// <inheritdoc/>
    public override void Attend(in AttentionTask task, float* scratch)
    {
        var end = task.First + task.Count;
        var query = task.First;
        for (; query + AttentionTile.Width <= end; query += AttentionTile.Width)
        {
            AttendFour(task, query, scratch);
        }

        for (; query < end; query++)
        {
            AttendOne(task, query, scratch);
        }
    }

    private void AttendFour(in AttentionTask task, int query, float* scratch)
    {
        var keys = KeysAt(task.Layer, task.Head, task.ExtentStart);
        var values = ValuesAt(task.Layer, task.Head, task.ExtentStart);
        var visible = task.Visible(query + AttentionTile.Width - 1);
        var stride = AttentionTile.Padded(visible);
        var queries = stackalloc float*[AttentionTile.Width] { task.QueryAt(query, Size), task.QueryAt(query + 1, Size), task.QueryAt(query + 2, Size), task.QueryAt(query + 3, Size) };
        AttentionTile.ScoreFour<T>(keys, queries, Size, visible, scratch, stride);
        var sums = stackalloc float[AttentionTile.Width];
        for (var i = 0; i < AttentionTile.Width; i++)
        {
            sums[i] = Weigh(task, query + i, scratch + (i * stride), stride);
        }

        var mixed = scratch + (AttentionTile.Width * stride);
        AttentionTile.MixFour<T>(values, PaddedSize, visible, scratch, stride, mixed);
        for (var i = 0; i < AttentionTile.Width; i++)
        {
            Finish(mixed + (i * PaddedSize), sums[i], task.OutputAt(query + i, Size));
        }
    }

    private void AttendOne(in AttentionTask task, int query, float* scratch)
    {
        var keys = KeysAt(task.Layer, task.Head, task.ExtentStart);
        var values = ValuesAt(task.Layer, task.Head, task.ExtentStart);
        var visible = task.Visible(query);
        var stride = AttentionTile.Padded(visible);
        AttentionTile.ScoreOne<T>(keys, task.QueryAt(query, Size), Size, visible, scratch);
        var sum = Weigh(task, query, scratch, stride);
        AttentionTile.MixOne<T>(values, PaddedSize, visible, scratch, scratch + stride);
        Finish(scratch + stride, sum, task.OutputAt(query, Size));
    }

    /// <summary>Turns a query's scores into weights; returns their sum.</summary>
    private float Weigh(in AttentionTask task, int query, float* scores, int stride)
    {
        var visible = task.Visible(query);
        if (_slopes.Length > 0)
        {
            AttentionTile.Slope(scores, visible, _slopes[(task.Head * task.Group) + (query % task.Group)] / _scale);
        }

        return AttentionTile.Exponentials(scores, visible, stride, _scale);
    }

    private void Finish(float* mixed, float sum, float* output)
    {
        var scale = 1 / sum;
        for (var i = 0; i < Size; i++)
        {
            output[i] = mixed[i] * scale;
        }
    }
}
