using System.Runtime.Intrinsics;

namespace Llava.ModelCore.Kernels.Weights;

/// <summary>Rounds a group of weights to integers with one bfloat16 scale.</summary>
internal static class GroupRounding
{
    private const int MaxInt8 = 127;
    private const int MinInt4 = -8;
    private const int MaxInt4 = 7;

    // Sixteen bits' worth would overflow: 32 products of 14-bit numbers are the most that 32 bits hold.
    private const int MaxInt16 = 8191;

    // A scale is rounded by up to 1/512, and the largest weight must still have a level.
    private const float Int16Target = 8127;

    /// <summary>Below this, levels / largest is no longer finite: such a group counts as zero.</summary>
    public const float Smallest = 1e-36f;

    private const float SmallestInt16 = 1e-34f;

    /// <summary>
    /// What the largest weight of a four-bit group is scaled to. Fewer levels for the largest mean finer ones for all others; of these the one
    /// with the least squared error is taken. Negative: the largest gets the extra level on the negative side.
    /// </summary>
    private static readonly float[] Int4Targets = [-8, -7.6f, -7.2f, -6.7f, -6.2f, 7, 6.6f, 6.2f];

    /// <summary>Rounds up to 32 weights. The same integers on every machine: no sum's order depends on the width of its vectors.</summary>
    /// <param name="weights">The group; levels beyond its end become zero.</param>
    /// <param name="format">Int8, Int4 or Int16.</param>
    /// <param name="levels">Gets 32 integers: −127…127, −8…7 or −8191…8191.</param>
    /// <returns>The scale's bits.</returns>
    /// <exception cref="ArgumentException">A weight is not a finite number.</exception>
    public static ushort Round(ReadOnlySpan<float> weights, WeightFormat format, Span<short> levels)
    {
        Span<float> group = stackalloc float[Panel.Group];
        group.Clear();
        weights.CopyTo(group);
        var largest = Largest(weights);
        if (MathF.Abs(largest) < (format == WeightFormat.Int16 ? SmallestInt16 : Smallest))
        {
            levels.Clear();
            return 0;
        }

        var (first, second) = (Vector512.Create<float>(group), Vector512.Create<float>(group[Panel.Lanes..]));
        if (format != WeightFormat.Int4)
        {
            var (target, most) = format == WeightFormat.Int8 ? (MaxInt8, MaxInt8) : (Int16Target, MaxInt16);
            var scale = BFloat16Bits.FromSingle(MathF.Abs(largest) / target);
            Fill(first, second, scale, -most, most, levels);
            return scale;
        }

        var (best, least) = ((ushort)0, float.PositiveInfinity);
        foreach (var target in Int4Targets)
        {
            var scale = BFloat16Bits.FromSingle(largest / target);
            if (Error(first, second, scale, largest) is var error && error < least)
            {
                (best, least) = (scale, error);
            }
        }

        Fill(first, second, best, MinInt4, MaxInt4, levels);
        return best;
    }

    /// <summary>The weight that is farthest from zero, with its sign.</summary>
    /// <exception cref="ArgumentException">A weight is not a finite number.</exception>
    public static float Largest(ReadOnlySpan<float> weights)
    {
        var largest = 0f;
        foreach (var weight in weights)
        {
            if (!float.IsFinite(weight))
            {
                throw new ArgumentException($"A weight is {weight}, which no scale can bring among integers.", nameof(weights));
            }

            largest = MathF.Abs(weight) > MathF.Abs(largest) ? weight : largest;
        }

        return largest;
    }

    /// <summary>The squared error of four bits, in units of the largest weight's square.</summary>
    private static float Error(Vector512<float> first, Vector512<float> second, ushort bits, float largest)
    {
        var scale = BFloat16Bits.ToSingle(bits);
        var unit = Vector512.Create(1 / largest);
        var (low, high) = (Missed(first), Missed(second));
        var squares = (low * low) + (high * high);
        var eight = squares.GetLower() + squares.GetUpper();
        var four = eight.GetLower() + eight.GetUpper();
        return four[0] + four[1] + four[2] + four[3];

        Vector512<float> Missed(Vector512<float> weights) => (weights - (Levels(weights, scale, MinInt4, MaxInt4) * Vector512.Create(scale))) * unit;
    }

    private static void Fill(Vector512<float> first, Vector512<float> second, ushort bits, int least, int most, Span<short> levels)
    {
        var scale = BFloat16Bits.ToSingle(bits);
        Span<float> numbers = stackalloc float[Panel.Group];
        Levels(first, scale, least, most).CopyTo(numbers);
        Levels(second, scale, least, most).CopyTo(numbers[Panel.Lanes..]);
        for (var i = 0; i < numbers.Length; i++)
        {
            levels[i] = (short)numbers[i];
        }
    }

    /// <summary>The nearest levels.</summary>
    private static Vector512<float> Levels(Vector512<float> weights, float scale, int least, int most) =>
        Vector512.Clamp(Vector512.Round(weights * Vector512.Create(1 / scale)), Vector512.Create((float)least), Vector512.Create((float)most));
}
