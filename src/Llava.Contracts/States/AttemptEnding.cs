using System.Text.Json.Serialization;

namespace Llava.Contracts.States;

/// <summary>How a claim of a chunk ended that did not end with the chunk done.</summary>
[JsonConverter(typeof(AttemptEndingConverter))]
public enum AttemptEnding
{
    /// <summary>The worker gave the chunk back and the attempt does not count: it drained, or the job was paused or cancelled.</summary>
    GivenBack,

    /// <summary>The worker lives and could not answer some of the items.</summary>
    Failed,

    /// <summary>The worker fell silent and its lease ended: it was killed, froze, or lost the network.</summary>
    LeaseExpired,

    /// <summary>The worker's process was found dead.</summary>
    WorkerDied,

    /// <summary>The chunk had lost all its attempts and was halved to find the item that does it. Follows on the ending of the last of them.</summary>
    Halved,

    /// <summary>The job's time was over first.</summary>
    JobExpired,
}

/// <summary>The table of endings: each is final.</summary>
public static class AttemptEndings
{
    /// <summary>Which endings there are.</summary>
    public static StateTable<AttemptEnding> Table { get; } = new(
        new(AttemptEnding.GivenBack, "given_back"),
        new(AttemptEnding.Failed, "failed"),
        new(AttemptEnding.LeaseExpired, "lease_expired"),
        new(AttemptEnding.WorkerDied, "worker_died"),
        new(AttemptEnding.Halved, "halved"),
        new(AttemptEnding.JobExpired, "job_expired"));

    /// <summary>How the ending is spelled in JSON and in the ledger.</summary>
    public static string WireName(this AttemptEnding ending) => Table.WireName(ending);
}
