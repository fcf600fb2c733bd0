using System.Text.Json.Serialization;

namespace Llava.Contracts.States;

/// <summary>Where a job is in its life; the words are those of the OpenAI batch API.</summary>
[JsonConverter(typeof(JobStateConverter))]
public enum JobState
{
    /// <summary>The source is being read into items.</summary>
    Validating,

    /// <summary>All items are known; none has been taken yet.</summary>
    Queued,

    /// <summary>A consumer has taken items.</summary>
    Running,

    /// <summary>Nothing is handed out; what was done is kept.</summary>
    Paused,

    /// <summary>Every item has a result; the counts are being closed.</summary>
    Finalizing,

    /// <summary>Every item has a result, not necessarily a good one.</summary>
    Completed,

    /// <summary>A stop was asked for; what runs is being put down.</summary>
    Cancelling,

    /// <summary>Stopped on request; items without an answer are marked cancelled.</summary>
    Cancelled,

    /// <summary>The input cannot be used.</summary>
    Failed,

    /// <summary>The time allowed is over; items without an answer are marked expired.</summary>
    Expired,
}
