using static Llava.Contracts.States.JobState;

namespace Llava.Contracts.States;

/// <summary>The table of job states.</summary>
public static class JobStates
{
    /// <summary>Which job states there are and which may follow which.</summary>
    public static StateTable<JobState> Table { get; } = new(
        new(Validating, "validating", Queued, Paused, Cancelling, Failed, Expired),
        new(Queued, "queued", Running, Paused, Cancelling, Failed, Expired),
        new(Running, "running", Finalizing, Paused, Cancelling, Failed, Expired),
        new(Paused, "paused", Validating, Queued, Cancelling, Expired),
        new(Finalizing, "finalizing", Completed),
        new(Completed, "completed") { Reopened = [Queued] },
        new(Cancelling, "cancelling", Cancelled),
        new(Cancelled, "cancelled") { Reopened = [Queued] },
        new(Failed, "failed"),
        new(Expired, "expired") { Reopened = [Queued] });

    /// <summary>How the state is spelled in JSON and in the ledger.</summary>
    public static string WireName(this JobState state) => Table.WireName(state);

    /// <summary>Whether the job is over.</summary>
    public static bool IsFinal(this JobState state) => Table.IsFinal(state);
}
