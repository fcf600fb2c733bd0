namespace Llava.ModelCore.Tests.Kernels.Cuda;

/// <summary>Random numbers that no run has seen; a failure tells the seed, with which it can be seen again.</summary>
internal sealed class FreshNumbers(int seed)
{
    public FreshNumbers()
        : this(System.Random.Shared.Next())
    {
    }

    public Random Random { get; } = new(seed);

    /// <summary>Around one, as bfloat16 keeps them.</summary>
    public float[] Ordinary(int count) => [.. Kernels.Numbers.Ordinary(Random, count).Select(value => DeviceNumbers.Rounded(value))];

    /// <summary>Of any magnitude, as bfloat16 keeps them.</summary>
    public float[] Extreme(int count) => [.. Kernels.Numbers.Extreme(Random, count).Select(value => DeviceNumbers.Rounded(value))];

    public override string ToString() => $"seed {seed}";
}
