using System.Text.Json;

namespace Llava.ModelCore.Training;

/// <summary>One conversation of LLaVA's instruction data, about at most one image (spec 7.3).</summary>
/// <param name="Index">Position in the file, from 0.</param>
/// <param name="Id">The sample's own id; its index when it has none.</param>
/// <param name="Image">Path of the image below the image folder; null for a text-only sample.</param>
/// <param name="Turns">The conversation.</param>
public sealed record InstructionSample(int Index, string Id, string? Image, IReadOnlyList<ConversationTurn> Turns)
{
    /// <summary>Text before the first turn instead of the template's own; null for the template's.</summary>
    public string? System { get; init; }

    /// <summary>How messages name the sample.</summary>
    public string Name => $"sample {Index} ('{Id}')";

    /// <summary>What grouping by length goes by.</summary>
    public SampleLength Length => new(Index, Turns.Sum(turn => turn.Value.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Length), Image is not null);

    /// <summary>Reads a sample; findings are added to <paramref name="findings"/> and make the result null.</summary>
    internal static InstructionSample? Read(JsonElement json, int index, List<SampleFinding> findings)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            findings.Add(new SampleFinding(index, $"sample {index} is {json.ValueKind}; it must be an object with 'conversations'."));
            return null;
        }

        var id = json.TryGetProperty("id", out var named) ? named.ToString() : $"{index}";
        var before = findings.Count;
        void Find(string what) => findings.Add(new SampleFinding(index, $"sample {index} ('{id}') {what}"));

        string? image = null;
        if (json.TryGetProperty("image", out var imageJson) && imageJson.ValueKind != JsonValueKind.Null)
        {
            image = imageJson.ValueKind == JsonValueKind.String ? imageJson.GetString() : null;
            if (string.IsNullOrEmpty(image))
            {
                Find($"has image {imageJson.GetRawText()}; it must be one path below the image folder.");
            }
        }

        var turns = new List<ConversationTurn>();
        if (!json.TryGetProperty("conversations", out var conversations) || conversations.ValueKind != JsonValueKind.Array)
        {
            Find("has no list 'conversations'.");
        }
        else
        {
            foreach (var turn in conversations.EnumerateArray())
            {
                if (Text(turn, "from") is { } from && Text(turn, "value") is { } value)
                {
                    turns.Add(new ConversationTurn(from, value) { IsLearned = Weight(turn) != 0 });
                }
                else
                {
                    Find($"has a turn without the texts 'from' and 'value': {turn.GetRawText()}.");
                }
            }
        }

        return findings.Count == before ? new InstructionSample(index, id, image, turns) { System = Text(json, "system") } : null;
    }

    private static double Weight(JsonElement turn) =>
        turn.TryGetProperty("weight", out var weight) && weight.ValueKind == JsonValueKind.Number ? weight.GetDouble() : 1;

    private static string? Text(JsonElement turn, string name) =>
        turn.ValueKind == JsonValueKind.Object && turn.TryGetProperty(name, out var text) && text.ValueKind == JsonValueKind.String ? text.GetString() : null;
}

/// <summary>One turn of a conversation.</summary>
/// <param name="From"><c>human</c> or <c>gpt</c>.</param>
/// <param name="Value">What is said; <c>&lt;image&gt;</c> marks where the image is shown.</param>
public sealed record ConversationTurn(string From, string Value)
{
    /// <summary>Whether the model learns these words, if they are the assistant's; <c>"weight": 0</c> in a file says no.</summary>
    public bool IsLearned { get; init; } = true;

    /// <summary>Speaker whose words the model is asked with.</summary>
    public const string Human = "human";

    /// <summary>Speaker whose words the model learns.</summary>
    public const string Assistant = "gpt";
}

/// <summary>Something wrong with a sample.</summary>
/// <param name="Index">The sample.</param>
/// <param name="Message">One sentence that names it.</param>
public sealed record SampleFinding(int Index, string Message);
