using static TorchSharp.torch;

namespace Llava.ModelCore.Training.Parallel;

/// <summary>A few numbers of each rank, for all ranks.</summary>
internal static class RankNumbers
{
    /// <summary>The numbers of every rank, by rank.</summary>
    /// <param name="ranks">The ranks.</param>
    /// <param name="own">This rank's; every rank has as many.</param>
    public static IReadOnlyList<double[]> Gather(this ICollective ranks, double[] own)
    {
        if (ranks.Size == 1)
        {
            return [own];
        }

        using var scope = NewDisposeScope();
        var all = zeros(ranks.Size * own.Length, ScalarType.Float64);
        ranks.AllGather(tensor(own), all);
        return [.. all.data<double>().ToArray().Chunk(own.Length)];
    }

    /// <summary>Whether it is so on any rank.</summary>
    public static bool Any(this ICollective ranks, bool own) => ranks.Gather([own ? 1 : 0]).Any(numbers => numbers[0] > 0);
}
