using Llava.Contracts.States;
using Llava.Dashboard.Elements;
using Llava.Ledger.Training;

namespace Llava.Dashboard.Training;

/// <summary>A training run as pages show it.</summary>
/// <param name="Run">The run.</param>
/// <param name="Now">When it is shown.</param>
internal sealed record TrainingView(TrainingRunRecord Run, DateTimeOffset Now)
{
    /// <summary>What people call it: its suffix, or its id where it has none.</summary>
    public string Name => Run.Request.Suffix ?? Run.Id;

    /// <summary>The model it starts from, without what says something about a machine.</summary>
    public string Base => Path.GetFileName(Path.TrimEndingDirectorySeparator(Run.Request.Model));

    /// <summary>How far it is.</summary>
    public IReadOnlyList<Segment> Progress => [new(Run.State switch
    {
        TrainingRunState.Succeeded => "succeeded",
        TrainingRunState.Failed => "failed",
        TrainingRunState.Cancelled => "cancelled",
        _ => "running",
    }, Run.Step)];

    /// <summary>Steps of the whole run; at least 1, so that a bar can be drawn.</summary>
    public int Steps => Math.Max(1, Run.Steps ?? 1);

    /// <summary>How far it is, in words.</summary>
    public string Said => Run.Steps is { } steps ? $"{Words.Count(Run.Step)} of {Words.Count(steps, "step")}" : "not counted yet";

    /// <summary>How long it will take; empty while nobody trains it.</summary>
    public string TimeLeft => Run is { State: TrainingRunState.Running, EstimatedFinish: { } finish } && finish > Now ? Words.Duration(finish - Now) : "";

    /// <summary>Whether it can be paused.</summary>
    public bool CanPause => TrainingRunStates.Table.Allows(Run.State, TrainingRunState.Paused);

    /// <summary>Whether it can be resumed.</summary>
    public bool CanResume => Run.State == TrainingRunState.Paused;

    /// <summary>Whether it can be cancelled.</summary>
    public bool CanCancel => TrainingRunStates.Table.Allows(Run.State, TrainingRunState.Cancelled);
}
