using System.Text.Json.Serialization;

namespace Llava.Contracts.States;

/// <summary>Where a job is in its life; the words are those of the OpenAI batch API.</summary>
[JsonConverter(typeof(JobStateConverter))]
public enum JobState
{
    /// <summary>The source is being read into items, and none may be worked on yet.</summary>
    Validating,

    /// <summary>Items may be worked on; none has been taken yet. More may still be read.</summary>
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

    /// <summary>The source cannot be used, or read to its end; what was answered by then stays.</summary>
    Failed,

    /// <summary>The time allowed is over; items without an answer are marked expired.</summary>
    Expired,
}
