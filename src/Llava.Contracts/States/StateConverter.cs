using System.Text.Json;
using System.Text.Json.Serialization;

namespace Llava.Contracts.States;

/// <summary>Writes a state by its wire name.</summary>
internal abstract class StateConverter<TState>(StateTable<TState> table) : JsonConverter<TState>
    where TState : struct, Enum
{
    public override TState Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.GetString() is { } name && table.TryParse(name, out var state)
            ? state
            : throw new JsonException($"A {typeof(TState).Name} was expected.");

    public override void Write(Utf8JsonWriter writer, TState value, JsonSerializerOptions options) => writer.WriteStringValue(table.WireName(value));
}

internal sealed class JobStateConverter() : StateConverter<JobState>(JobStates.Table);

internal sealed class ItemOutcomeConverter() : StateConverter<ItemOutcome>(ItemOutcomes.Table);

internal sealed class ChunkStateConverter() : StateConverter<ChunkState>(ChunkStates.Table);

internal sealed class AttemptEndingConverter() : StateConverter<AttemptEnding>(AttemptEndings.Table);

internal sealed class PartStateConverter() : StateConverter<PartState>(PartStates.Table);

internal sealed class TrainingRunStateConverter() : StateConverter<TrainingRunState>(TrainingRunStates.Table);
