using System.Text.Json.Serialization;

namespace Llava.Ledger.Workers;

/// <summary>A consumer process and what it serves.</summary>
public sealed record WorkerRecord
{
    /// <summary>Identity of the process; owner of its leases.</summary>
    public required string Id { get; init; }

    /// <summary>Name of its machine.</summary>
    public required string Host { get; init; }

    /// <summary>Its process id on that machine.</summary>
    public required int ProcessId { get; init; }

    /// <summary>When that process started, counted as its machine counts; tells it from a later one with the same id.</summary>
    public required TimeSpan ProcessStart { get; init; }

    /// <summary>Models it answers for.</summary>
    public required IReadOnlyList<ServedModel> Models { get; init; }

    /// <summary>Names of the bases from which it can train LLaVA's first stage; they cannot be asked anything.</summary>
    public IReadOnlyList<string> Bases { get; init; } = [];

    /// <summary>Whether it takes no more work and finishes what it has.</summary>
    public bool Draining { get; init; }

    /// <summary>When it first said that it lives.</summary>
    public DateTimeOffset RegisteredAt { get; init; }

    /// <summary>When it last said that it lives.</summary>
    public DateTimeOffset HeartbeatAt { get; init; }
}

/// <summary>A model that a worker answers for.</summary>
/// <param name="Name">Name that jobs ask for.</param>
/// <param name="Revision">Revision of its weights; empty where they cannot be read.</param>
/// <param name="Slots">Sequences it runs at the same time.</param>
/// <param name="State">Whether it is in memory.</param>
/// <param name="MemoryBytes">Memory it takes, or would take, on its device.</param>
/// <param name="Failure">Why it cannot be loaded, or answers no more; null while all is well.</param>
public sealed record ServedModel(string Name, string Revision, int Slots, ModelState State = ModelState.Loaded, long MemoryBytes = 0, string? Failure = null)
{
    /// <summary>Where interactive requests for it are taken; null where they are not.</summary>
    public string? ChatUrl { get; init; }

    /// <summary>Interactive requests that it had in hand at the last heartbeat.</summary>
    public int ChatsInFlight { get; init; }
}

/// <summary>Where a worker has a model.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ModelState>))]
public enum ModelState
{
    /// <summary>In memory, ready to answer.</summary>
    [JsonStringEnumMemberName("loaded")]
    Loaded,

    /// <summary>On disk; loaded when a chunk asks for it.</summary>
    [JsonStringEnumMemberName("unloaded")]
    Unloaded,

    /// <summary>On its way into memory.</summary>
    [JsonStringEnumMemberName("loading")]
    Loading,

    /// <summary>Cannot be loaded, or answers no more; its chunks wait.</summary>
    [JsonStringEnumMemberName("failed")]
    Failed,
}
