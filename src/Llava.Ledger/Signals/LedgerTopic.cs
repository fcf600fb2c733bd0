namespace Llava.Ledger.Signals;

/// <summary>What changed in the ledger.</summary>
public enum LedgerTopic
{
    /// <summary>A job waits to be expanded.</summary>
    JobSubmitted,

    /// <summary>Chunks may be handed out: some were added or came back, a window opened, a worker came.</summary>
    ChunksWaiting,

    /// <summary>A chunk or a job reached its end; a job may be over.</summary>
    WorkFinished,

    /// <summary>A job was cancelled, paused or resumed: holders of its leases must hear of it.</summary>
    JobControlled,

    /// <summary>A schedule was added, changed or removed.</summary>
    ScheduleChanged,

    /// <summary>A training run was submitted, moved on, paused, resumed or cancelled, or a model of one was deleted.</summary>
    TrainingChanged,
}
