namespace Llava.ModelCore.Engine;

/// <summary>A counter-based generator: the n-th number of a seed is computed directly, so there is no state that neighbours could advance.</summary>
internal static class CounterRandom
{
    /// <summary>The number in [0, 1) for this seed and counter (SplitMix64, Steele et al. 2014, applied to both).</summary>
    public static double UnitInterval(long seed, int counter) =>
        (Mix(Mix((ulong)seed) + ((ulong)counter * 0x9E3779B97F4A7C15)) >> 11) * (1.0 / (1UL << 53));

    private static ulong Mix(ulong z)
    {
        z += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
