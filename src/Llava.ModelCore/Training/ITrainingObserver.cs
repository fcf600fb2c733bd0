namespace Llava.ModelCore.Training;

/// <summary>Follows a run. Called on the training thread, so all but <see cref="OnStepDue"/> must be quick; what it throws ends the run.</summary>
public interface ITrainingObserver
{
    /// <summary>Everything is loaded and checked; the first step comes next.</summary>
    void OnStarted(TrainingPlan plan)
    {
    }

    /// <summary>
    /// The next step is due, and begins when this returns: whoever shares the device may let more urgent work go first. Other ranks wait with this one. What was set
    /// to stop the run must end the waiting too.
    /// </summary>
    /// <returns>How long the step had to wait.</returns>
    TimeSpan OnStepDue(CancellationToken stopping) => TimeSpan.Zero;

    /// <summary>An optimizer step is done.</summary>
    void OnStep(TrainingProgress progress)
    {
    }

    /// <summary>A complete training checkpoint is on disk.</summary>
    void OnCheckpoint(string folder)
    {
    }
}

/// <summary>What a run is going to do.</summary>
/// <param name="Steps">Optimizer steps of the whole run.</param>
/// <param name="FirstStep">Steps already made by an earlier process; 0 for a new run.</param>
/// <param name="Samples">Samples of an epoch.</param>
/// <param name="TrainedParameters">Numbers that are trained.</param>
/// <param name="Data">What the data is like; its findings are samples that are not used, none unless bad samples are skipped.</param>
/// <param name="Warnings">What about the data is not as one would wish, with line numbers, one sentence each.</param>
/// <param name="Memory">What the run is expected to take at its peak.</param>
/// <param name="MicroBatch">Samples of a forward pass.</param>
/// <param name="GradientAccumulation">Micro-batches of an optimizer step.</param>
/// <param name="RecomputedLayers">Decoder layers that are computed twice to save memory.</param>
public sealed record TrainingPlan(
    int Steps, int FirstStep, int Samples, long TrainedParameters, DatasetReport Data, IReadOnlyList<string> Warnings, MemoryEstimate Memory, int MicroBatch, int GradientAccumulation, int RecomputedLayers);

/// <summary>An optimizer step.</summary>
public sealed record TrainingProgress
{
    /// <summary>Optimizer steps done, from 1.</summary>
    public required int Step { get; init; }

    /// <summary>Optimizer steps of the whole run.</summary>
    public required int Steps { get; init; }

    /// <summary>Passes over the data so far.</summary>
    public required double Epoch { get; init; }

    /// <summary>Mean of <see cref="MicroLosses"/>.</summary>
    public double Loss => MicroLosses.Average();

    /// <summary>Loss of each micro-batch.</summary>
    public required IReadOnlyList<double> MicroLosses { get; init; }

    /// <summary>Learning rate of this step.</summary>
    public required double LearningRate { get; init; }

    /// <summary>Norm of the gradient before clipping.</summary>
    public required double GradientNorm { get; init; }

    /// <summary>Text and image positions of the step, padding excluded.</summary>
    public required long Positions { get; init; }

    /// <summary>Share of the step's targets that the model would have chosen before it, 0 to 1.</summary>
    public required double Accuracy { get; init; }

    /// <summary>Measured after the step; null where it was not.</summary>
    public ValidationResult? Validation { get; init; }

    /// <summary>How long the step waited before it began (<see cref="ITrainingObserver.OnStepDue"/>).</summary>
    public TimeSpan Waited { get; init; }

    /// <summary>Text and image positions per second, over this step, waiting left out.</summary>
    public double TokensPerSecond { get; init; }

    /// <summary>Expected time to the end of the run, from the pace of this process so far.</summary>
    public TimeSpan Remaining { get; init; }
}
