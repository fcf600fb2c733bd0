using System.Text.Json;

namespace Llava.GpuConsumer.Training.Rows;

/// <summary>A row in OpenAI's form: <c>{"messages": [{"role": …, "content": …, "weight": 0 or 1}, …]}</c>.</summary>
internal static class ChatRow
{
    /// <summary>Reads a row.</summary>
    /// <exception cref="RowException">It cannot be learned from.</exception>
    public static TrainingRow Read(JsonElement messages)
    {
        if (messages.ValueKind != JsonValueKind.Array || messages.GetArrayLength() == 0)
        {
            throw new RowException("invalid_messages", "has 'messages' that is no list of messages.");
        }

        List<string> system = [];
        List<RowTurn> turns = [];
        foreach (var (index, message) in messages.EnumerateArray().Index())
        {
            var at = FormattableString.Invariant($"messages[{index}]");
            switch (RoleOf(message, at))
            {
                case "system" or "developer":
                    system.Add(TextOf(message, at));
                    break;
                case "assistant":
                    turns.Add(new(true, TextOf(message, at), [], IsLearned(message, at)));
                    break;
                default:
                    turns.Add(UserTurn(message, at));
                    break;
            }
        }

        return TrainingRow.Of(system.Count == 0 ? null : string.Join("\n\n", system), turns);
    }

    private static string RoleOf(JsonElement message, string at) =>
        message.ValueKind == JsonValueKind.Object && message.TryGetProperty("role", out var role) && role.ValueKind == JsonValueKind.String
        && role.GetString() is "system" or "developer" or "user" or "assistant"
            ? message.GetProperty("role").GetString()!
            : throw new RowException("invalid_role", $"has {at} without a 'role' of system, developer, user or assistant; the models here call no tools.");

    private static bool IsLearned(JsonElement message, string at) =>
        !message.TryGetProperty("weight", out var weight) || weight.ValueKind == JsonValueKind.Null
        || (weight.ValueKind == JsonValueKind.Number && weight.GetDouble() is var value and (0 or 1)
            ? value == 1
            : throw new RowException("invalid_weight", $"has {at}.weight {weight.GetRawText()}; give 0 or 1."));

    private static string TextOf(JsonElement message, string at)
    {
        var turn = UserTurn(message, at);
        return turn.Images.Count == 0 ? turn.Text : throw new RowException("invalid_content", $"shows an image in {at}; only messages of the user may.");
    }

    private static RowTurn UserTurn(JsonElement message, string at)
    {
        if (!message.TryGetProperty("content", out var content))
        {
            throw new RowException("invalid_content", $"has {at} without 'content'.");
        }

        if (content.ValueKind == JsonValueKind.String)
        {
            return new(false, content.GetString()!, []);
        }

        if (content.ValueKind != JsonValueKind.Array)
        {
            throw new RowException("invalid_content", $"has {at}.content that is neither a text nor a list of parts.");
        }

        List<string> texts = [];
        List<string> images = [];
        foreach (var part in content.EnumerateArray())
        {
            if (Text(part, "type") == "text" && Text(part, "text") is { } text)
            {
                texts.Add(text);
            }
            else
            {
                images.Add(UrlOf(part) ?? throw new RowException("invalid_content", $"has a part in {at}.content that is neither a text nor an image_url with a 'url'."));
            }
        }

        return new(false, string.Join('\n', texts), images);
    }

    private static string? UrlOf(JsonElement part) =>
        Text(part, "type") == "image_url" && part.TryGetProperty("image_url", out var image)
            ? image.ValueKind == JsonValueKind.String ? image.GetString() : Text(image, "url")
            : null;

    private static string? Text(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var text) && text.ValueKind == JsonValueKind.String ? text.GetString() : null;
}
