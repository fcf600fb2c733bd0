using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Native;
using static TorchSharp.torch;

namespace Llava.ModelCore.Models;

/// <summary>
/// Rotary position embedding in the rotate-half pairing (Su et al. 2021; spec 1.4.1): the vector's first half is paired
/// with its second half.
/// </summary>
internal sealed class RotaryEmbedding(LanguageModelConfig config)
{
    /// <summary>
    /// Cosines and sines for the given positions, each (tokens, 1, head size), float32; the sines carry the sign of rotate-half.
    /// </summary>
    /// <param name="positions">int64 (tokens).</param>
    /// <param name="sequenceLength">Length of the longest sequence so far; only dynamic scaling looks at it.</param>
    public (Tensor Cosine, Tensor Sine) At(Tensor positions, long sequenceLength)
    {
        var (theta, divisor) = Scaled(sequenceLength);
        // Frequencies in double and then rounded once: what a float32 implementation computes, without its error in the power.
        var frequencies = Enumerable.Range(0, config.HeadSize / 2)
            .Select(i => (float)Math.Pow(theta, -2.0 * i / config.HeadSize)).ToArray();
        using var inverse = tensor(frequencies).Upload(positions.device);
        using var steps = divisor == 1 ? positions.to(ScalarType.Float32) : positions.to(ScalarType.Float32).div(Scalars.Of(divisor));
        using var angles = outer(steps, inverse);
        using var cosine = angles.cos();
        using var sine = angles.sin();
        using var negative = sine.neg();
        return (cat([cosine, cosine], 1).unsqueeze(1), cat([negative, sine], 1).unsqueeze(1));
    }

    /// <summary>Rotates (tokens, heads, head size).</summary>
    public static Tensor Rotate(Tensor x, Tensor cosine, Tensor sine)
    {
        var half = x.shape[^1] / 2;
        return (x * cosine).add(cat([x.narrow(-1, half, half), x.narrow(-1, 0, half)], -1) * sine, Scalars.One);
    }

    private (double Theta, double Divisor) Scaled(long length) => config.RopeScaling switch
    {
        { Kind: RopeScalingKind.Linear } s => (config.RopeTheta, s.Factor),
        { Kind: RopeScalingKind.Dynamic } s when length > config.MaxPositions => (DynamicTheta(s.Factor, length), 1),
        _ => (config.RopeTheta, 1),
    };

    private double DynamicTheta(double factor, long length) => config.RopeTheta
        * Math.Pow((factor * length / config.MaxPositions) - (factor - 1), config.HeadSize / (config.HeadSize - 2.0));
}
