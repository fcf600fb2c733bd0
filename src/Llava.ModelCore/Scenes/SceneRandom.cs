namespace Llava.ModelCore.Scenes;

/// <summary>Independent random streams of a scene: what is in it, how it is drawn, what is asked.</summary>
internal static class SceneRandom
{
    internal enum Purpose
    {
        Layout,
        Pixels,
        Questions,
        Batch,
        Rows,
    }

    /// <summary>The stream; neighbouring seeds give unrelated streams (SplitMix64's finaliser).</summary>
    public static Random For(long seed, Purpose purpose)
    {
        var z = unchecked(((ulong)seed * 8) + (ulong)purpose + 0x9E3779B97F4A7C15);
        z = unchecked((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9);
        z = unchecked((z ^ (z >> 27)) * 0x94D049BB133111EB);
        return new Random(unchecked((int)(z ^ (z >> 31))));
    }

    public static T Pick<T>(this Random random, IReadOnlyList<T> from) => from[random.Next(from.Count)];

    public static float Between(this Random random, float low, float high) => low + ((high - low) * random.NextSingle());

    public static bool Chance(this Random random, double probability) => random.NextDouble() < probability;
}
