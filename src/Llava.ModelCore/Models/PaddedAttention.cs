using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Native;
using static TorchSharp.torch;

namespace Llava.ModelCore.Models;

/// <summary>Attention over a padded batch with an additive mask: the training path and the parity reference.</summary>
/// <param name="rows">Sequences in the batch.</param>
/// <param name="mask">Additive mask, broadcastable to (rows, heads, length, length): 0 where a key is visible, −∞ elsewhere.</param>
public sealed class PaddedAttention(long rows, Tensor mask) : IAttention
{
    /// <summary>The causal mask (1, 1, length, length) in float32.</summary>
    public static Tensor CausalMask(long length, Device? device = null) =>
        full([1, 1, length, length], Scalars.Of(double.NegativeInfinity), ScalarType.Float32, device).triu(1);

    /// <summary>The causal mask of a padded batch, (rows, 1, length, length) in float32; padding is visible to itself alone.</summary>
    /// <param name="isToken">bool (rows, length): false at padding.</param>
    public static Tensor CausalMask(Tensor isToken)
    {
        var length = isToken.shape[1];
        // The diagonal stays open, so that a row of padding has something to attend to and yields no NaN.
        var hidden = isToken.bitwise_not().view(-1, 1, 1, length).bitwise_and(eye(length, dtype: ScalarType.Bool, device: isToken.device).bitwise_not());
        return CausalMask(length, isToken.device).masked_fill(hidden, Scalars.Of(double.NegativeInfinity));
    }

    /// <summary>Causal attention of a decoder over one sequence, or over rows of which some are padded.</summary>
    /// <param name="config">The decoder, whose linear biases, if it has any, go into the mask.</param>
    /// <param name="isToken">bool (rows, length): false at padding.</param>
    public static PaddedAttention Causal(LanguageModelConfig config, Tensor isToken)
    {
        var (rows, length) = (isToken.shape[0], isToken.shape[1]);
        var mask = CausalMask(isToken);
        return new(rows, Alibi.SlopesOf(config, isToken.device) is { } slopes ? mask.add(Alibi.Bias(slopes, 0, length, length), Scalars.One) : mask);
    }

    /// <inheritdoc/>
    public Tensor Attend(int layer, Tensor query, Tensor key, Tensor value)
    {
        var groups = query.shape[1] / key.shape[1];
        var q = Batched(query, 1);
        var scores = q.mul(Scalars.Of(1 / Math.Sqrt(query.shape[2]))).matmul(Batched(key, groups).transpose(-1, -2));
        // Written out: libtorch's fused CPU attention is several times slower than this in bf16, backward above all.
        // Softmax adds up in float32 whatever type it is given, and rounds once.
        var weights = scores.add_(mask.to(scores.dtype), Scalars.One).softmax(-1);
        return weights.matmul(Batched(value, groups)).transpose(1, 2).reshape(query.shape);
    }

    /// <summary>(tokens, heads, size) → (rows, heads·groups, length, size).</summary>
    private Tensor Batched(Tensor x, long groups)
    {
        var batched = x.view(rows, -1, x.shape[1], x.shape[2]).transpose(1, 2);
        return groups == 1 ? batched : batched.repeat_interleave(groups, 1);
    }
}
