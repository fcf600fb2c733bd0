using System.Diagnostics;

namespace Llava.Benchmarks.Gpu.Parts;

/// <summary>Seconds of something that a device does.</summary>
internal static class Medians
{
    private const int WarmUp = 3;

    /// <summary>The median over the rounds; the device is idle before and after each.</summary>
    /// <param name="settings">Whose device, and how many rounds.</param>
    /// <param name="time">Asked before each round.</param>
    /// <param name="action">What is measured.</param>
    /// <param name="repeats">How often in a round, for what is too short for a clock.</param>
    public static double Seconds(BenchSettings settings, PartTime time, Action action, int repeats = 1)
    {
        List<double> rounds = [];
        for (var round = 0; round < WarmUp + settings.Sizes.Rounds; round++)
        {
            time.Require();
            settings.Synchronize();
            var start = Stopwatch.GetTimestamp();
            for (var i = 0; i < repeats; i++)
            {
                action();
            }

            settings.Synchronize();
            if (round >= WarmUp)
            {
                rounds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds / repeats);
            }
        }

        return rounds.Order().ElementAt(rounds.Count / 2);
    }
}
