using System.Text.Json;

namespace Llava.Scheduler.Sources;

/// <summary>Reads fields of a record's object, with reasons that a person can act on.</summary>
internal static class JsonFields
{
    /// <summary>The record's object.</summary>
    public static JsonElement RequireObject(this JsonElement record) => record.ValueKind == JsonValueKind.Object
        ? record
        : throw new FormatException($"it is a JSON {Kind(record)}, and an object was expected.");

    /// <summary>The first of these fields that is there and not null, as text; a number counts as text where it names something.</summary>
    public static string? TextOf(this JsonElement record, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (record.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null)
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
    public static IReadOnlyList<string> ImagesOf(this JsonElement record, string name) =>
        !record.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null ? []
        : value.ValueKind == JsonValueKind.String ? [value.GetString()!]
        : value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(image => image.ValueKind == JsonValueKind.String) ? [.. value.EnumerateArray().Select(image => image.GetString()!)]
        : throw new FormatException($"its '{name}' is neither text nor a list of texts.");

    /// <summary>Every field that is a text, a number or a truth value, as text.</summary>
    public static IReadOnlyDictionary<string, string> Fields(this JsonElement record)
    {
        Dictionary<string, string> fields = new(StringComparer.Ordinal);
        foreach (var field in record.EnumerateObject())
        {
            if (field.Value.ValueKind is JsonValueKind.String or JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False)
            {
                fields[field.Name] = field.Value.ToString();
            }
        }

        return fields;
    }

    public static string Kind(JsonElement value) => value.ValueKind.ToString().ToLowerInvariant();
}
