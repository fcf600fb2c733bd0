using Llava.Contracts.Requests;

namespace Llava.Scheduler.Sources;

/// <summary>A record of a manifest, as a line of JSON or as a row of a table; see <see cref="SourceKind.Manifest"/>.</summary>
internal static class ManifestRecord
{
    private static readonly string[] Names = ["custom_id", "id", "question_id"];
    private static readonly string[] Prompts = ["prompt", "question", "text"];

    public static ParsedRecord Parse(JsonRecord record)
    {
        var json = record.Json.RequireObject();
        var images = json.ImagesOf("image") is { Count: > 0 } one ? one : json.ImagesOf("images");
        return Make(record.Name, images, names => json.TextOf(names), json.Fields());
    }

    /// <summary>The same from columns; an empty value counts as none, and several <c>images</c> are separated by semicolons.</summary>
    public static ParsedRecord Parse(string name, IReadOnlyDictionary<string, string> row)
    {
        IReadOnlyList<string> images = First(row, "image") is { } one ? [one] : First(row, "images")?.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];
        return Make(name, images, names => First(row, names), row);
    }

    private static ParsedRecord Make(string name, IReadOnlyList<string> images, Func<string[], string?> textOf, IReadOnlyDictionary<string, string> fields)
    {
        var prompt = textOf(Prompts);
        return images.Count > 0 || prompt is not null
            ? new(new(textOf(Names) ?? name, images, prompt, textOf(["category"])), fields)
            : throw new FormatException($"it has neither an 'image' (or 'images') nor a 'prompt' (or 'question', 'text'), only {(fields.Count == 0 ? "nothing" : string.Join(", ", fields.Keys.Select(field => $"'{field}'")))}.");
    }

    private static string? First(IReadOnlyDictionary<string, string> row, params string[] names) =>
        names.Select(name => row.GetValueOrDefault(name)).FirstOrDefault(value => !string.IsNullOrEmpty(value));
}
