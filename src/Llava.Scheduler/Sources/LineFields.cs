using System.Text.Json;

namespace Llava.Scheduler.Sources;

/// <summary>Reads fields of a line's object, with reasons that a person can act on.</summary>
internal static class LineFields
{
    /// <summary>The line's object.</summary>
    public static JsonElement RequireObject(this JsonElement line) => line.ValueKind == JsonValueKind.Object
        ? line
        : throw new FormatException($"it is a JSON {Kind(line)}, and an object was expected.");

    /// <summary>The first of these fields that is there and not null, as text; a number counts as text where it names something.</summary>
    public static string? TextOf(this JsonElement line, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (line.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null)
            {
                return value.ValueKind switch
                {
                    JsonValueKind.String => value.GetString(),
                    JsonValueKind.Number => value.GetRawText(),
                    _ => throw new FormatException($"its '{name}' is a JSON {Kind(value)}, and text was expected."),
                };
            }
        }

        return null;
    }

    /// <summary>The image names: one text or a list of them.</summary>
    public static IReadOnlyList<string> ImagesOf(this JsonElement line, string name) =>
        !line.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null ? []
        : value.ValueKind == JsonValueKind.String ? [value.GetString()!]
        : value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(image => image.ValueKind == JsonValueKind.String) ? [.. value.EnumerateArray().Select(image => image.GetString()!)]
        : throw new FormatException($"its '{name}' is neither text nor a list of texts.");

    private static string Kind(JsonElement value) => value.ValueKind.ToString().ToLowerInvariant();
}

/// <summary>A line of a manifest; see <see cref="Llava.Contracts.Requests.SourceKind.Manifest"/>.</summary>
internal static class ManifestLine
{
    public static Contracts.Requests.ItemSpec Parse(JsonElement line, string name)
    {
        line.RequireObject();
        var images = line.ImagesOf("image") is { Count: > 0 } one ? one : line.ImagesOf("images");
        var prompt = line.TextOf("prompt", "question", "text");
        return images.Count > 0 || prompt is not null
            ? new(line.TextOf("custom_id", "id", "question_id") ?? name, images, prompt, line.TextOf("category"))
            : throw new FormatException("it has neither an 'image' (or 'images') nor a 'prompt' (or 'question', 'text').");
    }
}

/// <summary>A line of LLaVA's question file.</summary>
internal static class QuestionLine
{
    public static Contracts.Requests.ItemSpec Parse(JsonElement line, string name)
    {
        line.RequireObject();
        return new(
            line.TextOf("question_id") ?? throw new FormatException("it has no 'question_id'."),
            line.ImagesOf("image"),
            line.TextOf("text") ?? throw new FormatException("it has no 'text'."),
            line.TextOf("category"));
    }
}
