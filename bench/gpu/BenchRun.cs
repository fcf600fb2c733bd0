using Llava.Benchmarks.Gpu.Parts;

namespace Llava.Benchmarks.Gpu;

/// <summary>All parts in order. One that fails or runs out of time does not stop the others, unless it is the gate.</summary>
internal static class BenchRun
{
    /// <summary>The parts, in the order in which they tell the most when a run is cut off.</summary>
    public static IReadOnlyList<BenchPart> Parts { get; } = [new EnvironmentPart(), new CorrectnessPart(), new RooflinePart(), new BaselinePart(), new EnginePart(), new InteractivePart(), new PhotosPart(), new RepeatPart(), new TrainingPart(), new TwoStreamsPart(), new SmallCardsPart()];

    // Seconds of the ten minutes that a run has: where parts together take longer than they may, the last are cut.
    private const int Total = 580;

    /// <summary>Measures.</summary>
    /// <param name="settings">Where, and what.</param>
    /// <param name="lines">Gets the figures.</param>
    /// <param name="progress">Told what is done, for a person.</param>
    /// <param name="parts">Other parts than all that do not run apart.</param>
    /// <returns>Whether no part failed.</returns>
    public static bool Run(BenchSettings settings, BenchLines lines, TextWriter progress, IReadOnlyList<BenchPart>? parts = null)
    {
        var (isWhole, whole) = (true, new PartTime(Total));
        foreach (var part in parts ?? [.. Parts.Where(part => !part.IsApart)])
        {
            progress.WriteLine($"{part.Name}, at most {part.Budget} s …");
            var (time, outcome, message) = (new PartTime(Math.Min(part.Budget, whole.Left)), "done", (string?)null);
            try
            {
                part.Run(settings, lines, time);
            }
            catch (PartCutException)
            {
                outcome = "cut";
            }
            catch (Exception e)
            {
                (outcome, message) = ("failed", $"{e.GetType().Name}: {e.Message}");
            }

            lines.Write("part", new { Part = part.Name, Outcome = outcome, Message = message, Seconds = Math.Round(time.Elapsed, 1) });
            progress.WriteLine($"{part.Name}: {outcome} after {time.Elapsed:0.0} s{(message is null ? "" : $", {message}")}");
            isWhole &= outcome != "failed";
            if (part.IsGate && outcome == "failed")
            {
                progress.WriteLine("What is wrong is not measured.");
                return false;
            }
        }

        return isWhole;
    }
}
