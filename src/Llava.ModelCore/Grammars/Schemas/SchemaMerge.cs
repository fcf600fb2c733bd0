using System.Text.Json.Nodes;

namespace Llava.ModelCore.Grammars.Schemas;

/// <summary>Makes one schema of two that must both hold.</summary>
internal static class SchemaMerge
{
    /// <summary>What both ask for.</summary>
    /// <exception cref="GrammarException">They ask for things that cannot be put together here.</exception>
    public static JsonObject Both(JsonObject first, JsonObject second, string path)
    {
        RequireSameProperties(first, second, path);
        RequireSameProperties(second, first, path);
        var merged = (JsonObject)first.DeepClone();
        foreach (var keyword in SchemaKeywords.Assertions(second))
        {
            var value = second[keyword];
            merged[keyword] = merged.TryGetPropertyValue(keyword, out var before) ? Both(keyword, before, value, path) : value?.DeepClone();
        }

        return merged;
    }

    private static JsonNode? Both(string keyword, JsonNode? first, JsonNode? second, string path) => keyword switch
    {
        _ when JsonNode.DeepEquals(first, second) => first?.DeepClone(),
        "type" => Common(AsList(first), AsList(second)),
        "enum" when first is JsonArray one && second is JsonArray other => Common(one, other),
        "required" when first is JsonArray one && second is JsonArray other => new JsonArray([.. one.Concat(other).Select(name => name?.DeepClone())]),
        "properties" when first is JsonObject one && second is JsonObject other => Properties(one, other),
        "items" or "additionalProperties" => All(first, second),
        "minimum" or "exclusiveMinimum" or "minLength" or "minItems" => Extreme(first, second, Math.Max),
        "maximum" or "exclusiveMaximum" or "maxLength" or "maxItems" => Extreme(first, second, Math.Min),
        _ => null,
    } ?? throw GrammarException.Schema(SchemaKeywords.Below(path, keyword), $"says two different things of the same value, which is not supported. Say '{keyword}' once.");

    private static JsonArray AsList(JsonNode? types) => types as JsonArray ?? [types?.DeepClone()];

    private static JsonArray Common(JsonArray first, JsonArray second) =>
        [.. first.Where(value => second.Any(other => JsonNode.DeepEquals(value, other) || (Is(value, "integer") && Is(other, "number")))).Select(value => value?.DeepClone()),
         .. second.Where(value => Is(value, "integer") && first.Any(other => Is(other, "number")) && !first.Any(other => Is(other, "integer"))).Select(value => value?.DeepClone())];

    private static bool Is(JsonNode? type, string name) => type is JsonValue value && value.TryGetValue<string>(out var text) && text == name;

    private static JsonObject Properties(JsonObject first, JsonObject second)
    {
        var merged = (JsonObject)first.DeepClone();
        foreach (var (name, schema) in second)
        {
            merged[name] = merged.TryGetPropertyValue(name, out var before) ? All(before, schema) : schema?.DeepClone();
        }

        return merged;
    }

    private static JsonObject All(JsonNode? first, JsonNode? second) => new() { ["allOf"] = new JsonArray(first?.DeepClone(), second?.DeepClone()) };

    private static JsonValue? Extreme(JsonNode? first, JsonNode? second, Func<decimal, decimal, decimal> choose) =>
        first is JsonValue one && second is JsonValue other && one.TryGetValue<decimal>(out var a) && other.TryGetValue<decimal>(out var b) ? JsonValue.Create(choose(a, b)) : null;

    /// <summary>What one schema says of all other fields would be said of the other schema's too.</summary>
    private static void RequireSameProperties(JsonObject schema, JsonObject other, string path)
    {
        if (schema.TryGetPropertyValue("additionalProperties", out var more) && !SchemaKeywords.IsTrue(more)
            && other["properties"] is JsonObject fields && fields.Any(field => schema["properties"] is not JsonObject own || !own.ContainsKey(field.Key)))
        {
            throw GrammarException.Schema(
                SchemaKeywords.Below(path, "additionalProperties"), "is said of some fields, and others come from a schema beside it. Leave it out, or name all fields in one schema.");
        }
    }
}
