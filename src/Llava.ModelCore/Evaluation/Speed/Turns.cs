using System.Diagnostics;

namespace Llava.ModelCore.Evaluation.Speed;

/// <summary>Contenders that take turns, so that whatever else the machine does meets all of them.</summary>
internal static class Turns
{
    /// <summary>Measures every contender once in each round.</summary>
    /// <param name="warmUp">Rounds that do not count.</param>
    /// <param name="rounds">Rounds that do.</param>
    /// <param name="contenders">What each does in its turn.</param>
    /// <returns>The medians of each.</returns>
    public static IReadOnlyList<TurnTime> Measure(int warmUp, int rounds, params IReadOnlyList<Action> contenders)
    {
        List<TurnTime>[] times = [.. contenders.Select(_ => new List<TurnTime>())];
        for (var round = 0; round < warmUp + rounds; round++)
        {
            for (var i = 0; i < contenders.Count; i++)
            {
                var (start, cpu) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
                contenders[i]();
                TurnTime time = new(Stopwatch.GetElapsedTime(start).TotalSeconds, (Environment.CpuUsage.TotalTime - cpu).TotalSeconds);
                if (round >= warmUp)
                {
                    times[i].Add(time);
                }
            }
        }

        return [.. times.Select(list => new TurnTime(Median(list, time => time.Wall), Median(list, time => time.Cpu)))];
    }

    private static double Median(List<TurnTime> times, Func<TurnTime, double> of) => times.Select(of).Order().ElementAt(times.Count / 2);
}

/// <summary>What a turn took, in seconds.</summary>
/// <param name="Wall">By the clock.</param>
/// <param name="Cpu">Processor time of all threads.</param>
internal readonly record struct TurnTime(double Wall, double Cpu);
