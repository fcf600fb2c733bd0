using Llava.Contracts.States;
using Llava.Ledger.Jobs;

namespace Llava.Ledger.Batches;

/// <summary>Where a batch is in its life, in OpenAI's words.</summary>
public enum BatchStatus
{
    /// <summary>Its input is being read.</summary>
    Validating,

    /// <summary>Its input was refused.</summary>
    Failed,

    /// <summary>Its lines are answered, or wait for it.</summary>
    InProgress,

    /// <summary>All is answered, and its files are being made.</summary>
    Finalizing,

    /// <summary>Every line has an answer or an error.</summary>
    Completed,

    /// <summary>Its time was over.</summary>
    Expired,

    /// <summary>It is being stopped.</summary>
    Cancelling,

    /// <summary>It was stopped.</summary>
    Cancelled,
}

/// <summary>Batches and their jobs.</summary>
public static class BatchStatuses
{
    /// <summary>Code of a job of which no item could be worked on.</summary>
    private const string NoUsableItem = "no_usable_item";

    /// <summary>Where the batch is: where its job is, and at the end only once its files are there.</summary>
    public static BatchStatus StatusOf(this BatchRecord batch, JobRecord job) => job.State switch
    {
        JobState.Validating => BatchStatus.Validating,
        JobState.Queued or JobState.Running => BatchStatus.InProgress,
        JobState.Paused => job.ExpandedAt is null ? BatchStatus.Validating : BatchStatus.InProgress,
        JobState.Finalizing => BatchStatus.Finalizing,
        JobState.Cancelling => BatchStatus.Cancelling,
        JobState.Cancelled => batch.PublishedAt is null ? BatchStatus.Cancelling : BatchStatus.Cancelled,
        _ when batch.PublishedAt is null => job.State == JobState.Failed && !HasOnlyErrors(job) ? BatchStatus.Failed : BatchStatus.Finalizing,
        _ => End(job),
    };

    /// <summary>How the status is spelled, in OpenAI's words.</summary>
    public static string WireName(this BatchStatus status) => status == BatchStatus.InProgress ? "in_progress" : status.ToString().ToLowerInvariant();

    /// <summary>Whether nothing will change any more.</summary>
    public static bool IsFinal(this BatchStatus status) => status is BatchStatus.Failed or BatchStatus.Completed or BatchStatus.Expired or BatchStatus.Cancelled;

    /// <summary>Where a batch ends whose job is over.</summary>
    internal static BatchStatus End(JobRecord job) => job.State switch
    {
        JobState.Failed => HasOnlyErrors(job) ? BatchStatus.Completed : BatchStatus.Failed,
        JobState.Cancelled => BatchStatus.Cancelled,
        JobState.Expired => BatchStatus.Expired,
        _ => BatchStatus.Completed,
    };

    /// <summary>A job is told that it failed when none of its items can be worked on; to a batch that is one whose lines all have an error.</summary>
    private static bool HasOnlyErrors(JobRecord job) => job.Failure?.Code == NoUsableItem;
}
