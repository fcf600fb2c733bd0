using System.Text.Json;

namespace Llava.Scheduler.Sources;

/// <summary>A sample of LLaVA's conversation JSON: its first human turn is the question, what follows it is not asked.</summary>
internal static class ConversationRecord
{
    private const string Placeholder = "<image>";

    public static ParsedRecord Parse(JsonRecord record)
    {
        var json = record.Json.RequireObject();
        var images = json.ImagesOf("image");
        var question = Question(FirstHumanTurn(json), images.Count);
        return new(new(json.TextOf("id") ?? record.Name, images, question, json.TextOf("category")), json.Fields());
    }

    private static string FirstHumanTurn(JsonElement sample)
    {
        if (!sample.TryGetProperty("conversations", out var turns) || turns.ValueKind != JsonValueKind.Array)
        {
            throw new FormatException("it has no list 'conversations'.");
        }

        foreach (var turn in turns.EnumerateArray())
        {
            if (turn.RequireObject().TextOf("from") == "human")
            {
                return turn.TextOf("value") ?? throw new FormatException("its first turn of 'human' has no 'value'.");
            }
        }

        throw new FormatException("its 'conversations' have no turn of 'human'.");
    }

    /// <summary>
    /// LLaVA moves the one image of a turn to its front wherever the placeholder stands (spec 7.5), which is where it goes when
    /// the text has none.
    /// </summary>
    private static string Question(string turn, int images)
    {
        var text = images == 1 ? turn.Replace(Placeholder, "", StringComparison.Ordinal).Trim() : turn.Trim();
        return images > 0 || !text.Contains(Placeholder, StringComparison.Ordinal)
            ? text.Length > 0 ? text : throw new FormatException("its first turn of 'human' asks nothing.")
            : throw new FormatException($"its first turn of 'human' holds {Placeholder} and it has no 'image'.");
    }
}
