using System.Text.Json.Serialization;

namespace Llava.Contracts.States;

/// <summary>Where a chunk, a run of consecutive items of one job, is.</summary>
[JsonConverter(typeof(ChunkStateConverter))]
public enum ChunkState
{
    /// <summary>Nobody works on it.</summary>
    Open,

    /// <summary>A consumer holds it until its lease ends.</summary>
    Leased,

    /// <summary>Each of its items has a result, or other chunks have taken them over.</summary>
    Done,
}

/// <summary>The table of chunk states.</summary>
public static class ChunkStates
{
    /// <summary>Which chunk states there are and which may follow which.</summary>
    public static StateTable<ChunkState> Table { get; } = new(
        new(ChunkState.Open, "open", ChunkState.Leased, ChunkState.Done),
        new(ChunkState.Leased, "leased", ChunkState.Open, ChunkState.Done),
        new(ChunkState.Done, "done") { Reopened = [ChunkState.Open] });

    /// <summary>How the state is spelled in JSON and in the ledger.</summary>
    public static string WireName(this ChunkState state) => Table.WireName(state);
}
