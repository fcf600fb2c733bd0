using System.Text.Json.Serialization;

namespace Llava.Contracts.States;

/// <summary>Where a part, a source that was added to an open job, is.</summary>
[JsonConverter(typeof(PartStateConverter))]
public enum PartState
{
    /// <summary>Its source is still to be read, or to be read on.</summary>
    Waiting,

    /// <summary>All its items are in the job.</summary>
    Done,

    /// <summary>Its source could not be used, or the job ended first. Items that were read before stay in the job.</summary>
    Failed,
}

/// <summary>The table of part states.</summary>
public static class PartStates
{
    /// <summary>Which part states there are and which may follow which.</summary>
    public static StateTable<PartState> Table { get; } = new(
        new(PartState.Waiting, "waiting", PartState.Done, PartState.Failed),
        new(PartState.Done, "done"),
        new(PartState.Failed, "failed"));

    /// <summary>How the state is spelled in JSON and in the ledger.</summary>
    public static string WireName(this PartState state) => Table.WireName(state);
}
