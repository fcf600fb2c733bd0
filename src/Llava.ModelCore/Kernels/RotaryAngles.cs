using System.Runtime.Intrinsics;
using Llava.ModelCore.Checkpoints;

namespace Llava.ModelCore.Kernels;

/// <summary>
/// Rotary position embedding in the rotate-half pairing (Su et al. 2021; spec 1.4.1): a vector's first half is paired with its second half.
/// </summary>
/// <param name="config">Base, scaling and head size.</param>
internal sealed unsafe class RotaryAngles(LanguageModelConfig config)
{
    private readonly float[] _frequencies = Frequencies(config.RopeTheta, config.HeadSize);

    /// <summary>Angles of a position: half the head size.</summary>
    public int Count => config.HeadSize / 2;

    /// <summary>Cosines and sines of a position.</summary>
    /// <param name="position">In its sequence.</param>
    /// <param name="longest">Length of the sequence where dynamic scaling looks at it; otherwise 0.</param>
    /// <param name="cosines">Gets <see cref="Count"/> numbers.</param>
    /// <param name="sines">Gets <see cref="Count"/> numbers.</param>
    public void At(int position, int longest, float* cosines, float* sines)
    {
        var step = config.RopeScaling is { Kind: RopeScalingKind.Linear } linear ? (float)(position / linear.Factor) : position;
        var theta = longest > 0 ? DynamicTheta(longest) : config.RopeTheta;
        for (var i = 0; i < Count; i++)
        {
            // The angle is rounded to float32 first, as in the reference model.
            var angle = step * (longest > 0 ? Frequency(theta, i, config.HeadSize) : _frequencies[i]);
            (cosines[i], sines[i]) = ((float)Math.Cos(angle), (float)Math.Sin(angle));
        }
    }

    /// <summary>Rotates one head in place.</summary>
    public static void Rotate(float* head, float* cosines, float* sines, int count)
    {
        var i = 0;
        for (; i <= count - Vector512<float>.Count; i += Vector512<float>.Count)
        {
            var (first, second) = (Vector512.Load(head + i), Vector512.Load(head + count + i));
            var (cosine, sine) = (Vector512.Load(cosines + i), Vector512.Load(sines + i));
            ((first * cosine) - (second * sine)).Store(head + i);
            ((second * cosine) + (first * sine)).Store(head + count + i);
        }

        for (; i < count; i++)
        {
            var (first, second) = (head[i], head[count + i]);
            head[i] = (first * cosines[i]) - (second * sines[i]);
            head[count + i] = (second * cosines[i]) + (first * sines[i]);
        }
    }

    private double DynamicTheta(long length) => config.RopeTheta
        * Math.Pow((config.RopeScaling!.Factor * length / config.MaxPositions) - (config.RopeScaling.Factor - 1), config.HeadSize / (config.HeadSize - 2.0));

    private static float[] Frequencies(double theta, int size) => [.. Enumerable.Range(0, size / 2).Select(i => Frequency(theta, i, size))];

    private static float Frequency(double theta, int index, int size) => (float)Math.Pow(theta, -2.0 * index / size);
}
