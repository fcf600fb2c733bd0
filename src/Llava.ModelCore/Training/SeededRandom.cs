using System.Numerics;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training;

/// <summary>
/// SplitMix64 (Steele, Lea and Flood 2014). Our own, so that a data order drawn from a seed stays the same on every
/// runtime version, and a resumed run needs no generator state: each epoch starts its own stream.
/// </summary>
internal sealed class SeededRandom(long seed, long stream)
{
    private const ulong GoldenGamma = 0x9E3779B97F4A7C15;

    private ulong _state = Mix(unchecked((ulong)seed) + GoldenGamma) ^ Mix(unchecked((ulong)stream) * GoldenGamma);

    /// <summary>Uniform below <paramref name="bound"/>, without modulo bias.</summary>
    public int Below(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bound, 1);
        // Rejection by mask: fewer than two draws on average.
        var mask = (1UL << BitOperations.Log2((ulong)bound) << 1) - 1;
        while (true)
        {
            var value = Next() & mask;
            if (value < (ulong)bound)
            {
                return (int)value;
            }
        }
    }

    /// <summary>Uniform in [0, 1).</summary>
    public double Unit() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Overwrites a tensor with values uniform in ±<paramref name="bound"/>, in its order.</summary>
    public void Fill(Tensor value, double bound)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var drawn = new float[value.numel()];
        for (var i = 0; i < drawn.Length; i++)
        {
            drawn[i] = (float)(((2 * Unit()) - 1) * bound);
        }

        value.copy_(tensor(drawn).view(value.shape));
    }

    /// <summary>0 … count − 1 in random order (Fisher and Yates).</summary>
    public int[] Permutation(int count)
    {
        int[] order = [.. Enumerable.Range(0, count)];
        for (var i = count - 1; i > 0; i--)
        {
            var j = Below(i + 1);
            (order[i], order[j]) = (order[j], order[i]);
        }

        return order;
    }

    private ulong Next()
    {
        _state = unchecked(_state + GoldenGamma);
        return Mix(_state);
    }

    private static ulong Mix(ulong z)
    {
        z = unchecked((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9);
        z = unchecked((z ^ (z >> 27)) * 0x94D049BB133111EB);
        return z ^ (z >> 31);
    }
}
