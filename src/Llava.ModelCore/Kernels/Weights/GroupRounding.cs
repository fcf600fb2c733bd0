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

    // Below these, levels / largest is no longer finite: such a group counts as zero.
    private const float Smallest = 1e-36f;
    private const float SmallestInt16 = 1e-34f;

    /// <summary>
    /// What the largest weight of a four-bit group is scaled to. Fewer levels for the largest mean finer ones for all others; of these the one
    /// with the least squared error is taken. Negative: the largest gets the extra level on the negative side.
    /// </summary>
    private static readonly float[] Int4Targets = [-8, -7.6f, -7.2f, -6.7f, -6.2f, 7, 6.6f, 6.2f];

    /// <summary>Rounds up to 32 weights.</summary>
    /// <param name="weights">The group; levels beyond its end become zero.</param>
    /// <param name="format">Int8, Int4 or Int16.</param>
    /// <param name="levels">Gets 32 integers: −127…127, −8…7 or −8191…8191.</param>
    /// <returns>The scale's bits.</returns>
    /// <exception cref="ArgumentException">A weight is not a finite number.</exception>
    public static ushort Round(ReadOnlySpan<float> weights, WeightFormat format, Span<short> levels)
    {
        levels.Clear();
        var largest = Largest(weights);
        if (MathF.Abs(largest) < (format == WeightFormat.Int16 ? SmallestInt16 : Smallest))
        {
            return 0;
        }

        if (format == WeightFormat.Int8)
        {
            var scale = BFloat16Bits.FromSingle(MathF.Abs(largest) / MaxInt8);
            Fill(weights, scale, -MaxInt8, MaxInt8, levels);
            return scale;
        }

        if (format == WeightFormat.Int16)
        {
            var scale = BFloat16Bits.FromSingle(MathF.Abs(largest) / Int16Target);
            Fill(weights, scale, -MaxInt16, MaxInt16, levels);
            return scale;
        }

        var (best, least) = ((ushort)0, double.PositiveInfinity);
        foreach (var target in Int4Targets)
        {
            var scale = BFloat16Bits.FromSingle(largest / target);
            if (Fill(weights, scale, MinInt4, MaxInt4, levels) is var error && error < least)
            {
                (best, least) = (scale, error);
            }
        }

        Fill(weights, best, MinInt4, MaxInt4, levels);
        return best;
    }

    /// <summary>The weight that is farthest from zero, with its sign.</summary>
    private static float Largest(ReadOnlySpan<float> weights)
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

    /// <summary>Rounds to the nearest levels; returns the squared error.</summary>
    private static double Fill(ReadOnlySpan<float> weights, ushort bits, int least, int most, Span<short> levels)
    {
        var scale = BFloat16Bits.ToSingle(bits);
        var inverse = 1 / scale;
        var error = 0.0;
        for (var i = 0; i < weights.Length; i++)
        {
            var level = Math.Clamp(MathF.Round(weights[i] * inverse), least, most);
            levels[i] = (short)level;
            var difference = (double)weights[i] - (level * scale);
            error += difference * difference;
        }

        return error;
    }
}
