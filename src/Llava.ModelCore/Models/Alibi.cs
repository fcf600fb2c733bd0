using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Native;
using static TorchSharp.torch;

namespace Llava.ModelCore.Models;

/// <summary>Attention with linear biases (Press et al. 2022; spec 1.4.2): a key loses with its distance, each head at a slope of its own.</summary>
internal static class Alibi
{
    /// <summary>The slopes of a decoder's heads, float32 (heads); null where it has none.</summary>
    public static Tensor? SlopesOf(LanguageModelConfig config, Device device) => config.Mpt is { } mpt ? tensor(Slopes(config.Heads, mpt.AlibiBiasMax), device: device) : null;

    /// <summary>The slopes of the heads.</summary>
    /// <param name="heads">Any number; where it is no power of two, the slopes of the next one are taken, every other first.</param>
    /// <param name="biasMax">Exponent of the last slope: 2^−biasMax.</param>
    public static float[] Slopes(int heads, double biasMax)
    {
        var power = 1;
        while (power < heads)
        {
            power *= 2;
        }

        float[] slopes = [.. Enumerable.Range(1, power).Select(i => (float)Math.Pow(2, -i * biasMax / power))];
        float[] ordered = power == heads ? slopes : [.. slopes.Where((_, i) => i % 2 == 1), .. slopes.Where((_, i) => i % 2 == 0)];
        return ordered[..heads];
    }

    /// <summary>What is added to the scores: float32 (heads, rows, keys), −slope·distance; keys behind a row's own position are for a mask to hide.</summary>
    /// <param name="slopes">(heads).</param>
    /// <param name="first">Position of the first row.</param>
    /// <param name="rows">Rows, at consecutive positions.</param>
    /// <param name="keys">Keys, at positions 0, 1, ….</param>
    public static Tensor Bias(Tensor slopes, long first, long rows, long keys)
    {
        using var scope = NewDisposeScope();
        var at = arange(Scalars.OfInteger(rows), ScalarType.Float32, slopes.device).add(Scalars.OfInteger(first)).view(1, -1, 1);
        var distance = arange(Scalars.OfInteger(keys), ScalarType.Float32, slopes.device).view(1, 1, -1).add(at, Scalars.Of(-1));
        return distance.mul(slopes.view(-1, 1, 1)).MoveToOuterDisposeScope();
    }
}
