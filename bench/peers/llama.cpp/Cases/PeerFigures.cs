using System.Diagnostics;
using System.Globalization;
using Llava.Benchmarks.LlamaCpp.Peer;
using Llava.ModelCore.Evaluation.Speed;

namespace Llava.Benchmarks.LlamaCpp.Cases;

/// <summary>Measures a case in turn and writes its line: everything is "so many a second", so more is better, and a ratio above 1 is ours.</summary>
/// <param name="threads">Threads of both sides.</param>
internal sealed class PeerFigures(int threads)
{
    private const int WarmUp = 1;

    /// <summary>Measures both sides and writes the line.</summary>
    /// <param name="name">The case.</param>
    /// <param name="shape">Sizes of the model.</param>
    /// <param name="schemes">How each side keeps its weights.</param>
    /// <param name="unit">What is counted.</param>
    /// <param name="count">How many a turn makes.</param>
    /// <param name="rounds">Rounds, of which the median counts.</param>
    /// <param name="roofline">Seconds that the machine's limits allow; null where they are not known.</param>
    /// <param name="ours">Our turn.</param>
    /// <param name="theirs">Their turn.</param>
    public void Measure(string name, string shape, (string Ours, string Theirs) schemes, string unit, int count, int rounds, double? roofline, Action ours, Action theirs)
    {
        var (start, before) = (Stopwatch.GetTimestamp(), (Busy(), Environment.CpuUsage.TotalTime.TotalSeconds));
        var times = Turns.Measure(WarmUp, rounds, ours, theirs);
        var elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var others = Busy() - before.Item1 - (Environment.CpuUsage.TotalTime.TotalSeconds - before.Item2);
        Figures.Write("llama.cpp", new
        {
            Case = name,
            Shape = shape,
            Weights = schemes.Ours,
            PeerWeights = schemes.Theirs,
            PeerBackend = LlamaLibraries.Backend,
            Threads = threads,
            Rounds = rounds,
            Unit = unit,
            Ours = Rounded(count / times[0].Wall),
            Theirs = Rounded(count / times[1].Wall),
            Ratio = Rounded(times[1].Wall / times[0].Wall),
            RatioByProcessorTime = Rounded(times[1].Cpu / times[0].Cpu),
            ShareOfRoofline = roofline is { } seconds ? Rounded(seconds / times[0].Wall) : (double?)null,
            UsedByOthers = Rounded(Math.Max(0, others / (elapsed * Environment.ProcessorCount))),
        });
    }

    /// <summary>Three significant digits: more than a run repeats.</summary>
    public static double Rounded(double value) => double.Parse(value.ToString("G3", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    /// <summary>Seconds that all processors have worked, for whomever.</summary>
    private static double Busy()
    {
        const double TicksPerSecond = 100;
        var ticks = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..9].Select(field => double.Parse(field, CultureInfo.InvariantCulture)).ToArray();
        // user, nice, system, idle, waiting for disks, interrupts, soft interrupts, stolen by the host.
        return (ticks.Sum() - ticks[3] - ticks[4]) / TicksPerSecond;
    }
}
