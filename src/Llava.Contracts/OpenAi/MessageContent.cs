using System.Globalization;
using System.Text.Json;
using Llava.Contracts.Interactive;

namespace Llava.Contracts.OpenAi;

/// <summary>The content of a message: a text, or a list of parts in OpenAI's words, those of its Responses API included.</summary>
internal static class MessageContent
{
    private static readonly string[] Details = ["auto", "low", "high"];

    /// <summary>Texts and images.</summary>
    public static ChatMessage ReadUser(JsonElement message, string at)
    {
        List<string> texts = [];
        List<ImageUrl> images = [];
        foreach (var (part, field) in PartsOf(message, at))
        {
            if (TextOf(part, field) is { } text)
            {
                texts.Add(text);
            }
            else
            {
                images.Add(ReadImage(part, field));
            }
        }

        return new(ChatSpeaker.User, string.Join('\n', texts), images);
    }

    /// <summary>Texts only.</summary>
    public static string ReadText(JsonElement message, string at) => string.Join('\n', PartsOf(message, at).Select(one => TextOf(one.Part, one.Field)
        ?? throw Unsupported($"{one.Field}.type", $"is '{TypeOf(one.Part, one.Field)}'; only user messages may hold more than text")));

    /// <summary>What the model said before; nothing where the content is null.</summary>
    public static string ReadAssistant(JsonElement message, string at)
    {
        if (message.TryGetProperty("tool_calls", out var calls) && calls.ValueKind == JsonValueKind.Array && calls.GetArrayLength() > 0)
        {
            throw Unsupported($"{at}.tool_calls", "cannot be told to the models here, which call no tools");
        }

        return message.TryGetProperty("content", out var content) && content.ValueKind != JsonValueKind.Null ? ReadText(message, at) : "";
    }

    private static IEnumerable<(JsonElement Part, string Field)> PartsOf(JsonElement message, string at) => message.TryGetProperty("content", out var content)
        ? content.ValueKind switch
        {
            JsonValueKind.String => [(content, $"{at}.content")],
            JsonValueKind.Array => content.EnumerateArray().Index().Select(part => (part.Item, $"{at}.content[{part.Index.ToString(CultureInfo.InvariantCulture)}]")),
            _ => throw Invalid($"{at}.content", "must be a text or a list of parts"),
        }
        : throw OpenAiException.Invalid("missing_required_parameter", $"'{at}.content' is missing.", $"{at}.content");

    /// <summary>The part's text; null when it is no text.</summary>
    private static string? TextOf(JsonElement part, string field) =>
        part.ValueKind == JsonValueKind.String ? part.GetString()
        : TypeOf(part, field) is not ("text" or "input_text" or "output_text") ? null
        : part.TryGetProperty("text", out var text) && text.ValueKind == JsonValueKind.String ? text.GetString()
        : throw Invalid($"{field}.text", "must be a text");

    private static string TypeOf(JsonElement part, string field) =>
        part.ValueKind == JsonValueKind.Object && part.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String
            ? type.GetString()!
            : throw Invalid(field, "must be an object with a 'type'");

    /// <summary>Where the image of a part is.</summary>
    public static ImageUrl ReadImage(JsonElement part, string field)
    {
        if (TypeOf(part, field) is var type and not ("image_url" or "input_image"))
        {
            throw Unsupported($"{field}.type", $"is '{type}'; give text or image_url");
        }

        // OpenAI's own is an object; a bare text is a common mistake, and right in its Responses API.
        var image = part.TryGetProperty("image_url", out var given) ? given : default;
        if (image.ValueKind == JsonValueKind.Object)
        {
            RequireDetail(image, $"{field}.image_url.detail");
            return image.TryGetProperty("url", out var url) && url.ValueKind == JsonValueKind.String
                ? new(url, $"{field}.image_url.url")
                : throw Invalid($"{field}.image_url.url", "must be a text");
        }

        RequireDetail(part, $"{field}.detail");
        return image.ValueKind == JsonValueKind.String ? new(image, $"{field}.image_url") : throw Invalid($"{field}.image_url", "must be an object with a 'url'");
    }

    // LLaVA sees every image at one size, so all that can be wrong with it is the word.
    private static void RequireDetail(JsonElement image, string field)
    {
        if (image.TryGetProperty("detail", out var detail) && detail.ValueKind != JsonValueKind.Null
            && !(detail.ValueKind == JsonValueKind.String && Details.Contains(detail.GetString())))
        {
            throw Invalid(field, $"is {detail.GetRawText()}; give auto, low or high");
        }
    }

    private static OpenAiException Invalid(string field, string what) => OpenAiException.Invalid("invalid_value", $"'{field}' {what}.", field);

    private static OpenAiException Unsupported(string field, string what) => OpenAiException.Invalid("unsupported_parameter", $"'{field}' {what}.", field);
}
