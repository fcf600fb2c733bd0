namespace Llava.ModelCore.Imaging;

/// <summary>For each output position of one axis: where its source samples start, how many there are, and their fixed-point weights.</summary>
internal sealed class ResizeWeights
{
    /// <summary>Fractional bits of a weight.</summary>
    public const int FractionBits = 32 - 8 - 2;

    private const double Radius = 2;
    private readonly int[] _weights;
    private readonly int _perPosition;

    private ResizeWeights(int count, int perPosition)
    {
        (Starts, Counts) = (new int[count], new int[count]);
        (_weights, _perPosition) = (new int[count * perPosition], perPosition);
    }

    public int[] Starts { get; }

    public int[] Counts { get; }

    public ReadOnlySpan<int> Of(int position) => _weights.AsSpan(position * _perPosition, Counts[position]);

    /// <summary>The output positions that have a sample in first … end − 1; they are neighbours.</summary>
    public (int First, int End) Touching(int first, int end)
    {
        var start = 0;
        while (start < Starts.Length && Starts[start] + Counts[start] <= first)
        {
            start++;
        }

        var stop = Starts.Length;
        while (stop > start && Starts[stop - 1] >= end)
        {
            stop--;
        }

        return (start, stop);
    }

    /// <summary>Weights for the output positions first … first + count − 1 of an axis that goes from one size to another.</summary>
    public static ResizeWeights Compute(int from, int to, int first, int count)
    {
        var scale = (double)from / to;
        var filterScale = Math.Max(scale, 1);
        var support = Radius * filterScale;
        var result = new ResizeWeights(count, ((int)Math.Ceiling(support) * 2) + 1);
        var exact = new double[result._perPosition];
        for (var position = 0; position < count; position++)
        {
            var center = (first + position + 0.5) * scale;
            var start = Math.Max((int)(center - support + 0.5), 0);
            var taps = exact.AsSpan(0, Math.Min((int)(center + support + 0.5), from) - start);
            var sum = 0.0;
            for (var tap = 0; tap < taps.Length; tap++)
            {
                taps[tap] = Cubic((tap + start - center + 0.5) * (1 / filterScale));
                sum += taps[tap];
            }

            (result.Starts[position], result.Counts[position]) = (start, taps.Length);
            for (var tap = 0; tap < taps.Length; tap++)
            {
                result._weights[(position * result._perPosition) + tap] = Fixed(sum == 0 ? taps[tap] : taps[tap] / sum);
            }
        }

        return result;
    }

    // Keys' cubic with a = −0.5.
    private static double Cubic(double x)
    {
        const double A = -0.5;
        x = Math.Abs(x);
        return x < 1 ? (((A + 2) * x) - (A + 3)) * x * x + 1 : x < 2 ? ((((x - 5) * x) + 8) * x - 4) * A : 0;
    }

    private static int Fixed(double weight) => (int)((weight < 0 ? -0.5 : 0.5) + (weight * (1 << FractionBits)));
}
