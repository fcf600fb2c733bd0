using System.Text.Json;
using System.Text.Json.Nodes;
using static Llava.ModelCore.Grammars.Schemas.SchemaKeywords;

namespace Llava.ModelCore.Grammars.Schemas;

/// <summary>Makes rules of a JSON schema. What it uses is either written into the rules or refused by its path, and never passed over.</summary>
internal sealed class SchemaCompiler
{
    private const int MostMerges = 1000;
    private static readonly string[] AllTypes = ["object", "array", "string", "number", "boolean", "null"];

    private readonly JsonNode? _root;
    private readonly Dictionary<string, Expression> _rules = JsonText.Rules();
    private int _merges;

    private SchemaCompiler(JsonNode? root) => _root = root;

    /// <summary>The rules of a schema.</summary>
    /// <exception cref="GrammarException">It is no schema, or uses what is not supported.</exception>
    public static IReadOnlyDictionary<string, Expression> Compile(string schema)
    {
        try
        {
            SchemaCompiler compiler = new(JsonNode.Parse(schema, documentOptions: new() { AllowDuplicateProperties = false }));
            compiler._rules[Grammar.Root] = compiler.Of(compiler._root, "#");
            return compiler._rules;
        }
        catch (JsonException broken)
        {
            throw GrammarException.Schema("#", $"cannot be read: {broken.Message}");
        }
    }

    private Expression Of(JsonNode? schema, string path) => schema switch
    {
        _ when IsTrue(schema) => new Expression.Call(JsonText.Value),
        _ when IsFalse(schema) => Expression.Never,
        JsonObject fields => OfObject(fields, path),
        _ => throw GrammarException.Schema(path, "must be a schema: an object, true or false."),
    };

    private Expression OfObject(JsonObject schema, string path)
    {
        RequireSupported(schema, path);
        if (schema.ContainsKey("$ref") && Assertions(schema).Count() == 1)
        {
            return Reference(schema, path);
        }

        if (schema.ContainsKey("$ref") || schema.ContainsKey("allOf"))
        {
            return OfObject(Flat(schema, path), path);
        }

        foreach (var keyword in (string[])["anyOf", "oneOf"])
        {
            if (schema.ContainsKey(keyword))
            {
                return Options(schema, keyword, path);
            }
        }

        if (schema.ContainsKey("enum") || schema.ContainsKey("const"))
        {
            return Constants(schema, path);
        }

        return Expression.Choice([.. TypesOf(schema, path).Select(type => OfType(schema, type, path))]);
    }

    /// <summary>A value of its own rule, so that using it several times costs nothing.</summary>
    private Expression RuleOf(JsonNode? schema, string path)
    {
        var name = $"at {path} {_rules.Count}";
        var expression = Of(schema, path);
        if (expression is Expression.Call)
        {
            return expression;
        }

        _rules.Add(name, expression);
        return new Expression.Call(name);
    }

    private Expression.Call Reference(JsonObject schema, string path)
    {
        var (target, pointer) = Resolve(schema, path);
        var name = $"ref {pointer}";
        // It may come across itself while it is read.
        if (_rules.TryAdd(name, Expression.Never))
        {
            _rules[name] = Of(target, pointer);
        }

        return new(name);
    }

    private (JsonNode? Target, string Pointer) Resolve(JsonObject schema, string path)
    {
        var pointer = Text(schema, "$ref", path)!;
        if (pointer != "#" && !pointer.StartsWith("#/", StringComparison.Ordinal))
        {
            throw GrammarException.Schema(Below(path, "$ref"), $"is '{pointer}'; only places in the same schema, such as '#/$defs/name', are followed.");
        }

        var node = _root;
        foreach (var step in pointer.Split('/').Skip(1).Select(step => Uri.UnescapeDataString(step).Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal)))
        {
            node = node switch
            {
                JsonObject fields when fields.TryGetPropertyValue(step, out var field) => field,
                JsonArray items when int.TryParse(step, out var index) && index >= 0 && index < items.Count => items[index],
                _ => throw GrammarException.Schema(Below(path, "$ref"), $"is '{pointer}', and there is nothing at that place."),
            };
        }

        return (node, pointer);
    }

    /// <summary>The schema without <c>$ref</c> and <c>allOf</c>: what they ask for is asked for directly.</summary>
    private JsonObject Flat(JsonObject schema, string path)
    {
        if (++_merges > MostMerges)
        {
            throw GrammarException.Schema(path, "is put together from itself without end, or from too many parts.");
        }

        RequireSupported(schema, path);
        var merged = Without(schema, "$ref", "allOf");
        if (schema.ContainsKey("$ref"))
        {
            var (target, pointer) = Resolve(schema, path);
            merged = SchemaMerge.Both(Part(target, pointer), merged, path);
        }

        if (schema.ContainsKey("allOf"))
        {
            var below = Below(path, "allOf");
            merged = ListOfSchemas(schema, "allOf", path).Select((part, index) => Part(part, $"{below}/{index}")).Aggregate(merged, (so, part) => SchemaMerge.Both(so, part, path));
        }

        return merged;
    }

    private JsonObject Part(JsonNode? part, string path) => part switch
    {
        _ when IsTrue(part) => [],
        JsonObject fields => Flat(fields, path),
        _ => throw GrammarException.Schema(path, "must be an object to be put together with others."),
    };

    private Expression Options(JsonObject schema, string keyword, string path)
    {
        var (rest, below) = (Without(schema, keyword), Below(path, keyword));
        var isAlone = !Assertions(rest).Any();
        return Expression.Choice([.. ListOfSchemas(schema, keyword, path).Select((option, index) => isAlone
            ? Of(option, $"{below}/{index}")
            : OfObject(SchemaMerge.Both(rest, Part(option, $"{below}/{index}"), path), $"{below}/{index}"))]);
    }

    private static JsonObject Without(JsonObject schema, params ReadOnlySpan<string> keywords)
    {
        var rest = (JsonObject)schema.DeepClone();
        foreach (var keyword in keywords)
        {
            rest.Remove(keyword);
        }

        return rest;
    }

    private static Expression Constants(JsonObject schema, string path)
    {
        if (Assertions(schema).FirstOrDefault(name => name is not ("enum" or "const" or "type")) is { } other)
        {
            throw GrammarException.Schema(Below(path, other), "stands beside 'enum' or 'const'. Leave it out, and list the values for which it holds.");
        }

        IEnumerable<JsonNode?> values = !schema.TryGetPropertyValue("enum", out var list) ? new[] { schema["const"] }
            : list is JsonArray { Count: > 0 } array ? array
            : throw GrammarException.Schema(Below(path, "enum"), "must be a list of values.");
        var types = schema.ContainsKey("type") ? TypesOf(schema, path) : null;
        return Expression.Choice([.. values
            .Where(value => !schema.TryGetPropertyValue("const", out var only) || JsonNode.DeepEquals(value, only))
            .Where(value => types is null || types.Any(type => IsOf(value, type)))
            .Select(JsonText.Constant)]);
    }

    private static bool IsOf(JsonNode? value, string type) => (value?.GetValueKind() ?? JsonValueKind.Null) switch
    {
        JsonValueKind.Object => type == "object",
        JsonValueKind.Array => type == "array",
        JsonValueKind.String => type == "string",
        JsonValueKind.Number => type == "number" || (type == "integer" && value!.AsValue().TryGetValue<decimal>(out var number) && decimal.IsInteger(number)),
        JsonValueKind.True or JsonValueKind.False => type == "boolean",
        _ => type == "null",
    };

    /// <summary>The types that are named, or the one that the keywords speak of.</summary>
    private static IReadOnlyList<string> TypesOf(JsonObject schema, string path)
    {
        if (schema.TryGetPropertyValue("type", out var named))
        {
            var types = named is JsonArray ? Texts(schema, "type", path) : [Text(schema, "type", path)!];
            return types.FirstOrDefault(type => type != "integer" && !AllTypes.Contains(type)) is { } unknown
                ? throw GrammarException.Schema(Below(path, "type"), $"names '{unknown}'; there are {string.Join(", ", AllTypes)} and integer.")
                : types;
        }

        return Speaks("properties", "required", "additionalProperties") ? ["object"]
            : Speaks("items", "minItems", "maxItems") ? ["array"]
            : Speaks("pattern", "format", "minLength", "maxLength") ? ["string"]
            : Speaks("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum") ? ["number"]
            : AllTypes;

        bool Speaks(params ReadOnlySpan<string> keywords)
        {
            foreach (var keyword in keywords)
            {
                if (schema.ContainsKey(keyword))
                {
                    return true;
                }
            }

            return false;
        }
    }

    private Expression OfType(JsonObject schema, string type, string path) => type switch
    {
        "object" => new ObjectShape(schema, path).ToExpression(RuleOf),
        "array" => ValueShapes.Array(schema, path, RuleOf),
        "string" => ValueShapes.String(schema, path),
        "number" => ValueShapes.Number(schema, path, canHaveFraction: true),
        "integer" => ValueShapes.Number(schema, path, canHaveFraction: false),
        "boolean" => Expression.Choice(Expression.Text("true"), Expression.Text("false")),
        _ => Expression.Text("null"),
    };
}
