using System.Text.Json.Serialization;
using static Llava.Contracts.States.TrainingRunState;

namespace Llava.Contracts.States;

/// <summary>Where a training run is in its life; the words are those of the OpenAI fine-tuning API, and <see cref="Waiting"/> and <see cref="Paused"/>, which it lacks.</summary>
[JsonConverter(typeof(TrainingRunStateConverter))]
public enum TrainingRunState
{
    /// <summary>It waits for the run whose model it starts from.</summary>
    Waiting,

    /// <summary>Its files are being checked, row by row.</summary>
    ValidatingFiles,

    /// <summary>It waits for a worker.</summary>
    Queued,

    /// <summary>A worker trains it.</summary>
    Running,

    /// <summary>Nobody trains it; it goes on from its last training checkpoint once it is resumed.</summary>
    Paused,

    /// <summary>Its model is there.</summary>
    Succeeded,

    /// <summary>Its files cannot be used, or training came to nothing.</summary>
    Failed,

    /// <summary>Stopped on request.</summary>
    Cancelled,
}

/// <summary>The table of the states of training runs.</summary>
public static class TrainingRunStates
{
    /// <summary>Which states there are and which may follow which.</summary>
    public static StateTable<TrainingRunState> Table { get; } = new(
        new(Waiting, "waiting", ValidatingFiles, Paused, Failed, Cancelled),
        new(ValidatingFiles, "validating_files", Queued, Paused, Failed, Cancelled),
        new(Queued, "queued", Running, Paused, Cancelled),
        new(Running, "running", Queued, Paused, Succeeded, Failed, Cancelled),
        new(Paused, "paused", Waiting, ValidatingFiles, Queued, Failed, Cancelled),
        new(Succeeded, "succeeded"),
        new(Failed, "failed"),
        new(Cancelled, "cancelled"));

    /// <summary>How the state is spelled in JSON and in the ledger.</summary>
    public static string WireName(this TrainingRunState state) => Table.WireName(state);

    /// <summary>Whether the run is over.</summary>
    public static bool IsFinal(this TrainingRunState state) => Table.IsFinal(state);
}
