namespace Llava.Ledger.Training;

/// <summary>A claim on a run; owner and fence are checked by every write.</summary>
/// <param name="Run">Id of the run.</param>
/// <param name="Owner">The worker.</param>
/// <param name="Fence">Number of the claim.</param>
public sealed record TrainingLease(string Run, string Owner, int Fence);

/// <summary>A run that was claimed.</summary>
/// <param name="Lease">The claim.</param>
/// <param name="Run">The run as it is now.</param>
public sealed record ClaimedTrainingRun(TrainingLease Lease, TrainingRunRecord Run);

/// <summary>What a worker does with a run.</summary>
public enum TrainingPhase
{
    /// <summary>Checking its files.</summary>
    Validate,

    /// <summary>Training it.</summary>
    Train,
}
