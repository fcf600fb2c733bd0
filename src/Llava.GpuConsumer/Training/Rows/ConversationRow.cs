using System.Text.Json;

namespace Llava.GpuConsumer.Training.Rows;

/// <summary>A row in LLaVA's form: <c>{"image": …, "conversations": [{"from": "human" or "gpt", "value": …}, …]}</c>.</summary>
internal static class ConversationRow
{
    private const string Placeholder = "<image>";

    /// <summary>Reads a row.</summary>
    /// <exception cref="RowException">It cannot be learned from.</exception>
    public static TrainingRow Read(JsonElement row, JsonElement conversations)
    {
        if (conversations.ValueKind != JsonValueKind.Array)
        {
            throw new RowException("invalid_messages", "has 'conversations' that is no list of turns.");
        }

        var image = row.TryGetProperty("image", out var named) && named.ValueKind != JsonValueKind.Null
            ? named.ValueKind == JsonValueKind.String ? named.GetString() : throw new RowException("invalid_content", "has an 'image' that is no text.")
            : null;
        // What is said before the human speaks is not learned from, as the original has it.
        List<RowTurn> turns = [.. conversations.EnumerateArray().Index().Select(turn => Turn(turn.Item, turn.Index)).SkipWhile((turn, index) => index == 0 && turn.IsAssistant)];
        if (image is not null)
        {
            var shown = turns.FindIndex(turn => turn.Text.Contains(Placeholder, StringComparison.Ordinal));
            var at = shown >= 0 ? shown : throw new RowException("invalid_content", $"has an image, but no turn with {Placeholder} that shows it.");
            turns[at] = turns[at].IsAssistant ? throw new RowException("invalid_content", "shows its image in a turn of gpt; only human may.") : turns[at] with { Images = [image] };
        }

        return TrainingRow.Of(null, turns);
    }

    private static RowTurn Turn(JsonElement turn, int index) => (Text(turn, "from"), Text(turn, "value")) switch
    {
        ("human", { } value) => new(false, value, []),
        ("gpt", { } value) => new(true, value, []),
        _ => throw new RowException("invalid_role", FormattableString.Invariant($"has conversations[{index}] without a 'from' of human or gpt and a 'value'.")),
    };

    private static string? Text(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var text) && text.ValueKind == JsonValueKind.String ? text.GetString() : null;
}
