using System.Globalization;
using System.Text.Json;
using Llava.Contracts.Interactive;

namespace Llava.Contracts.OpenAi;

/// <summary>What messages say, before their images are fetched.</summary>
/// <param name="System">What the operator says, in one text; null when nothing.</param>
/// <param name="Turns">What user and assistant say.</param>
internal sealed record ChatMessages(string? System, IReadOnlyList<ChatMessage> Turns)
{
    /// <summary>Reads the messages of a chat.</summary>
    /// <exception cref="OpenAiException">They are none, too many, or one of them says what cannot be understood.</exception>
    public static ChatMessages Read(JsonElement? messages, ChatLimits limits)
    {
        if (messages is not { ValueKind: JsonValueKind.Array } list || list.GetArrayLength() == 0)
        {
            throw OpenAiException.Invalid("missing_required_parameter", "'messages' must be a list of at least one message.", "messages");
        }

        if (list.GetArrayLength() > limits.MaxMessages)
        {
            throw Invalid("messages", $"has {Number(list.GetArrayLength())} messages and the limit is {Number(limits.MaxMessages)}");
        }

        List<string> system = [];
        List<ChatMessage> turns = [];
        foreach (var (index, message) in list.EnumerateArray().Index())
        {
            var at = $"messages[{Number(index)}]";
            switch (RoleOf(message, at))
            {
                case "system" or "developer":
                    system.Add(MessageContent.ReadText(message, at));
                    break;
                case "assistant":
                    turns.Add(new(ChatSpeaker.Assistant, MessageContent.ReadAssistant(message, at), []));
                    break;
                default:
                    turns.Add(MessageContent.ReadUser(message, at));
                    break;
            }
        }

        RequireWithin(limits, system.Sum(text => text.Length) + turns.Sum(turn => turn.Text.Length), turns.Sum(turn => turn.Images.Count));
        return turns is [{ Speaker: ChatSpeaker.User }, ..] and [.., { Speaker: ChatSpeaker.User }]
            ? new(system.Count == 0 ? null : string.Join("\n\n", system), turns)
            : throw Invalid("messages", "must begin and end with a message of the user, apart from the system's");
    }

    private static string RoleOf(JsonElement message, string at) =>
        message.ValueKind == JsonValueKind.Object && message.TryGetProperty("role", out var role) && role.ValueKind == JsonValueKind.String
            ? role.GetString() switch
            {
                "system" or "developer" or "user" or "assistant" => role.GetString()!,
                "tool" or "function" => throw OpenAiException.Invalid("unsupported_parameter", $"'{at}.role' is '{role.GetString()}'; the models here call no tools.", $"{at}.role"),
                var other => throw Invalid($"{at}.role", $"is '{other}'; give system, developer, user or assistant"),
            }
            : throw OpenAiException.Invalid("missing_required_parameter", $"'{at}' must be an object with a 'role'.", $"{at}.role");

    private static void RequireWithin(ChatLimits limits, int characters, int images)
    {
        if (characters > limits.MaxCharacters)
        {
            throw Invalid("messages", $"has {Number(characters)} characters and the limit is {Number(limits.MaxCharacters)}");
        }

        if (images > limits.MaxImages)
        {
            throw Invalid("messages", $"has {Number(images)} images and the limit is {Number(limits.MaxImages)}");
        }
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static OpenAiException Invalid(string field, string what) => OpenAiException.Invalid("invalid_value", $"'{field}' {what}.", field);
}

/// <summary>What one speaker says.</summary>
/// <param name="Speaker">Who.</param>
/// <param name="Text">The words, parts joined by line feeds.</param>
/// <param name="Images">Where the images are.</param>
internal sealed record ChatMessage(ChatSpeaker Speaker, string Text, IReadOnlyList<ImageUrl> Images);

/// <summary>Where an image is.</summary>
/// <param name="Json">The URL as it was written.</param>
/// <param name="Field">The field it stands in.</param>
internal sealed record ImageUrl(JsonElement Json, string Field)
{
    /// <summary>The URL as text.</summary>
    public string Url { get; } = Json.GetString()!;
}

/// <summary>How much the messages of one request may hold.</summary>
internal sealed record ChatLimits
{
    /// <summary>Messages.</summary>
    public int MaxMessages { get; init; } = 1000;

    /// <summary>Characters of all messages together.</summary>
    public int MaxCharacters { get; init; } = 1_000_000;

    /// <summary>Images of all messages together.</summary>
    public int MaxImages { get; init; } = 16;
}
