using System.Text.Json;

namespace Llava.Scheduler.Sources;

/// <summary>The messages of a chat completion that are one question: a single one of the user, of texts and images.</summary>
internal static class OpenAiMessages
{
    private const string Unsupported = "unsupported_parameter";

    /// <summary>The texts, one below the other, and the images, which come before them as LLaVA's own tools put them.</summary>
    public static (string Prompt, IReadOnlyList<string> Images) Read(JsonElement body, Func<JsonElement, string> imageOf)
    {
        OpenAiBatchLine.Require(
            body.TryGetProperty("messages", out var messages) && messages.ValueKind == JsonValueKind.Array && messages.GetArrayLength() > 0,
            "missing_required_parameter",
            "its 'messages' are missing or empty.");
        var message = messages[messages.GetArrayLength() - 1].RequireObject();
        OpenAiBatchLine.Require(
            messages.GetArrayLength() == 1 && message.TextOf("role") == "user",
            Unsupported,
            $"its 'messages' are of {string.Join(", ", messages.EnumerateArray().Select(m => m.RequireObject().TextOf("role") ?? "nobody"))}; an item is one question, so give a single message of user.");
        OpenAiBatchLine.Require(message.TryGetProperty("content", out var content), "missing_required_parameter", "its message has no 'content'.");
        var (texts, images) = content.ValueKind == JsonValueKind.String ? ([content.GetString()!], []) : Parts(content, imageOf);
        var prompt = string.Join('\n', texts);
        OpenAiBatchLine.Require(!string.IsNullOrWhiteSpace(prompt), "missing_required_parameter", "its message holds no text.");
        return (prompt, images);
    }

    private static (List<string> Texts, List<string> Images) Parts(JsonElement content, Func<JsonElement, string> imageOf)
    {
        List<string> texts = [];
        List<string> images = [];
        OpenAiBatchLine.Require(content.ValueKind == JsonValueKind.Array, "invalid_type", $"its 'content' is a JSON {JsonFields.Kind(content)}; give text or a list of parts.");
        foreach (var part in content.EnumerateArray())
        {
            var type = part.RequireObject().TextOf("type");
            switch (type)
            {
                case "text" or "input_text":
                    texts.Add(part.TextOf("text") ?? throw new FormatException("a part of type 'text' has no 'text'."));
                    break;
                case "image_url" or "input_image":
                    images.Add(imageOf(UrlOf(part)));
                    break;
                default:
                    throw new RefusedLineException(Unsupported, $"a part of its 'content' is of type '{type}'; give text and image_url.");
            }
        }

        return (texts, images);
    }

    /// <summary>OpenAI wraps the URL into an object; a bare one is a common mistake, and what the Responses API wants.</summary>
    private static JsonElement UrlOf(JsonElement part)
    {
        var isThere = part.TryGetProperty("image_url", out var url);
        if (isThere && url.ValueKind == JsonValueKind.Object)
        {
            isThere = url.TryGetProperty("url", out url);
        }

        return isThere && url.ValueKind == JsonValueKind.String ? url : throw new FormatException("a part of type 'image_url' has no 'url'.");
    }
}
