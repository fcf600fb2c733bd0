namespace Llava.GpuConsumer.Training.Processes;

/// <summary>How further processes of this program are started, which the host knows.</summary>
/// <param name="Path">The executable.</param>
/// <param name="Arguments">What comes before a command's own words.</param>
public sealed record TrainingProgram(string Path, IReadOnlyList<string> Arguments)
{
    /// <summary>Option that makes a command one of a run's further processes.</summary>
    public const string WorkerOption = "--worker";

    /// <summary>The command that becomes one of a run's further processes.</summary>
    /// <param name="recipe">File of the recipe.</param>
    /// <param name="folder">The run's output folder.</param>
    public static IReadOnlyList<string> Worker(string recipe, string folder) => ["train", recipe, "--out", folder, WorkerOption];
}
