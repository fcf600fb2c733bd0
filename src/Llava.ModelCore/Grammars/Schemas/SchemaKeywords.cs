using System.Globalization;
using System.Text.Json.Nodes;

namespace Llava.ModelCore.Grammars.Schemas;

/// <summary>Reads a schema's keywords, and refuses those that would be passed over.</summary>
internal static class SchemaKeywords
{
    private const int LargestCount = 100_000;

    /// <summary>They say nothing about what is valid.</summary>
    private static readonly HashSet<string> Annotations =
        ["$schema", "$id", "$comment", "$defs", "definitions", "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly"];

    private static readonly HashSet<string> Supported =
    [
        "$ref", "allOf", "anyOf", "oneOf", "enum", "const", "type", "properties", "required", "additionalProperties", "items", "minItems", "maxItems",
        "pattern", "format", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
    ];

    /// <summary>The keywords that say something about what is valid.</summary>
    public static IEnumerable<string> Assertions(JsonObject schema) => schema.Select(field => field.Key).Where(name => !Annotations.Contains(name));

    /// <exception cref="GrammarException">A keyword is not supported.</exception>
    public static void RequireSupported(JsonObject schema, string path)
    {
        // It asks for nothing where it is false.
        if (Assertions(schema).FirstOrDefault(name => !Supported.Contains(name) && !(name == "uniqueItems" && IsFalse(schema[name]))) is { } unknown)
        {
            throw GrammarException.Schema(Below(path, unknown), $"is not supported. Leave '{unknown}' out, or say it with one of {string.Join(", ", Supported.Order(StringComparer.Ordinal))}.");
        }
    }

    /// <summary>The path of a field.</summary>
    public static string Below(string path, string name) => $"{path}/{name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)}";

    public static bool IsFalse(JsonNode? node) => node is JsonValue value && value.TryGetValue<bool>(out var truth) && !truth;

    public static bool IsTrue(JsonNode? node) => node is JsonValue value && value.TryGetValue<bool>(out var truth) && truth;

    /// <summary>A list of schemas.</summary>
    public static JsonArray ListOfSchemas(JsonObject schema, string keyword, string path) => schema[keyword] is JsonArray { Count: > 0 } list
        ? list
        : throw GrammarException.Schema(Below(path, keyword), "must be a list of schemas.");

    /// <summary>A text; null where it is not there.</summary>
    public static string? Text(JsonObject schema, string keyword, string path) => !schema.TryGetPropertyValue(keyword, out var node) ? null
        : node is JsonValue value && value.TryGetValue<string>(out var text) ? text
        : throw GrammarException.Schema(Below(path, keyword), "must be a text.");

    /// <summary>A list of texts; empty where it is not there.</summary>
    public static IReadOnlyList<string> Texts(JsonObject schema, string keyword, string path) => !schema.TryGetPropertyValue(keyword, out var node) ? []
        : node is JsonArray list && list.All(item => item is JsonValue value && value.TryGetValue<string>(out _)) ? [.. list.Select(item => item!.GetValue<string>())]
        : throw GrammarException.Schema(Below(path, keyword), "must be a list of texts.");

    /// <summary>How many of something; null where it is not there.</summary>
    public static int? Count(JsonObject schema, string keyword, string path) => Number(schema, keyword, path) switch
    {
        null => null,
        { } number when number is >= 0 and <= LargestCount && decimal.IsInteger(number) => (int)number,
        _ => throw GrammarException.Schema(Below(path, keyword), $"must be a whole number from 0 to {LargestCount}."),
    };

    /// <summary>A number; null where it is not there.</summary>
    public static decimal? Number(JsonObject schema, string keyword, string path) => !schema.TryGetPropertyValue(keyword, out var node) ? null
        : node is JsonValue value && decimal.TryParse(value.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number
        : throw GrammarException.Schema(Below(path, keyword), "must be a number of at most 28 digits.");
}
