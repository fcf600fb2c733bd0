using System.Text.Json;
using System.Text.Json.Nodes;
using Llava.Contracts.Interactive;
using Llava.Contracts.OpenAi;

namespace Llava.Contracts.Requests;

/// <summary>What an item asks for beyond one question with its job's settings: a conversation, and settings of its own. Its prompt is what the user says last.</summary>
public sealed record ItemChat
{
    private const string SettingsField = "settings";

    private static readonly JsonObject Nothing = JsonSerializer.SerializeToNode(new ItemChat(), RequestJson.Options)!.AsObject();

    /// <summary>Text in place of the template's own before the first turn; null for the template's.</summary>
    public string? System { get; init; }

    /// <summary>What was said before the prompt.</summary>
    public IReadOnlyList<EarlierTurn> Earlier { get; init; } = [];

    /// <summary>Whether the prompt is a text to be continued without any template. Default false.</summary>
    public bool Plain { get; init; }

    /// <summary>Whether its images are to be turned into vectors, and how those are written; null to have the prompt answered. Default null.</summary>
    public VectorEncoding? Embedding { get; init; }

    /// <summary>How the answer is generated, instead of the way the job says.</summary>
    public ChatSettings Settings { get; init; } = new();

    /// <summary>The chat as JSON; what says nothing is left out, because items come by the hundred thousand.</summary>
    public string Write()
    {
        var json = JsonSerializer.SerializeToNode(this, RequestJson.Options)!.AsObject();
        var settings = json[SettingsField]!.AsObject();
        LeaveOut(settings, Nothing[SettingsField]!.AsObject());
        LeaveOut(json, Nothing);
        if (settings.Count == 0)
        {
            json.Remove(SettingsField);
        }

        return json.ToJsonString(RequestJson.Options);
    }

    /// <summary>The chat in the JSON.</summary>
    /// <exception cref="JsonException">It is none.</exception>
    public static ItemChat Read(string json) => JsonSerializer.Deserialize<ItemChat>(json, RequestJson.Options) ?? throw new JsonException("A chat was expected, not null.");

    private static void LeaveOut(JsonObject json, JsonObject nothing)
    {
        foreach (var (name, value) in nothing)
        {
            if (JsonNode.DeepEquals(json[name], value))
            {
                json.Remove(name);
            }
        }
    }
}

/// <summary>What one speaker said before the prompt.</summary>
/// <param name="Speaker">Who.</param>
/// <param name="Text">The words.</param>
/// <param name="Images">How many of the item's images come with them; those of the first turn come first.</param>
public sealed record EarlierTurn(ChatSpeaker Speaker, string Text, int Images = 0);
