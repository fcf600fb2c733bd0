using System.Text.Json.Nodes;
using static Llava.ModelCore.Grammars.Schemas.SchemaKeywords;

namespace Llava.ModelCore.Grammars.Schemas;

/// <summary>
/// Objects of a schema: the fields that it names, in its order, each of which may be left out unless it is required; others behind them where
/// <c>additionalProperties</c> asks for them.
/// </summary>
internal sealed class ObjectShape
{
    private readonly List<(string Name, JsonNode? Schema, string Path, bool IsRequired)> _fields = [];
    private readonly JsonNode? _others;
    private readonly string _othersPath;

    public ObjectShape(JsonObject schema, string path)
    {
        var properties = !schema.TryGetPropertyValue("properties", out var named) ? []
            : named as JsonObject ?? throw GrammarException.Schema(Below(path, "properties"), "must be an object of schemas.");
        var required = Texts(schema, "required", path).ToHashSet(StringComparer.Ordinal);
        var saysMore = schema.TryGetPropertyValue("additionalProperties", out var more);
        (_others, _othersPath) = (saysMore ? more : JsonValue.Create(properties.Count + required.Count == 0), Below(path, "additionalProperties"));
        _fields.AddRange(properties.Select(field => (field.Key, field.Value, Below(Below(path, "properties"), field.Key), required.Contains(field.Key))));
        _fields.AddRange(required.Where(name => !properties.ContainsKey(name)).Order(StringComparer.Ordinal).Select(name => (name, saysMore ? more : JsonValue.Create(true), _othersPath, true)));
    }

    /// <summary>The objects, as they are written.</summary>
    /// <param name="valueOf">What a schema's values are, by the schema and its path.</param>
    public Expression ToExpression(Func<JsonNode?, string, Expression> valueOf)
    {
        if (_fields.Count == 0 && IsTrue(_others))
        {
            return new Expression.Call(JsonText.ObjectValue);
        }

        // Before each field there are two nodes: nothing is written yet, and something is.
        List<GraphEdge> edges = [];
        for (var i = 0; i < _fields.Count; i++)
        {
            var (name, schema, path, isRequired) = _fields[i];
            var field = Expression.Sequence(JsonText.Constant(JsonValue.Create(name)), JsonText.Colon, valueOf(schema, path));
            edges.Add(new(2 * i, field, (2 * i) + 3));
            edges.Add(new((2 * i) + 1, Expression.Sequence(JsonText.Comma, field), (2 * i) + 3));
            if (!isRequired)
            {
                edges.Add(new(2 * i, Expression.Nothing, (2 * i) + 2));
                edges.Add(new((2 * i) + 1, Expression.Nothing, (2 * i) + 3));
            }
        }

        var end = 2 * _fields.Count;
        if (!IsFalse(_others))
        {
            var other = Expression.Sequence(JsonText.Quote, JsonText.Quoting(OtherNames()), JsonText.Quote, JsonText.Colon, valueOf(_others, _othersPath));
            edges.Add(new(end, other, end + 1));
            edges.Add(new(end + 1, Expression.Sequence(JsonText.Comma, other), end + 1));
        }

        return Expression.Sequence(Expression.Text("{"), new Expression.Graph(edges, [end, end + 1]), Expression.Text("}"));
    }

    /// <summary>Every name but those that the schema gives: a tree of those, that is left at the first character that none of them has.</summary>
    private Expression.Graph OtherNames()
    {
        const int Anything = 1;
        Dictionary<string, int> nodes = new(StringComparer.Ordinal) { [""] = 0 };
        foreach (var prefix in _fields.SelectMany(field => Prefixes(field.Name)).Where(prefix => !nodes.ContainsKey(prefix)))
        {
            nodes.TryAdd(prefix, nodes.Count + 1);
        }

        List<GraphEdge> edges = [new(Anything, Expression.Any(RuneSet.All), Anything)];
        foreach (var (prefix, node) in nodes)
        {
            var next = nodes.Keys.Where(name => name.Length > prefix.Length && name.StartsWith(prefix, StringComparison.Ordinal) && name[prefix.Length..].EnumerateRunes().Count() == 1).ToList();
            edges.AddRange(next.Select(name => new GraphEdge(node, Expression.Any(RuneSet.OfText(name[prefix.Length..])), nodes[name])));
            edges.Add(new(node, Expression.Any(RuneSet.OfText(string.Concat(next.Select(name => name[prefix.Length..]))).Complement()), Anything));
        }

        return new(edges, [Anything, .. nodes.Where(node => !_fields.Exists(field => field.Name == node.Key)).Select(node => node.Value)]);
    }

    private static IEnumerable<string> Prefixes(string name)
    {
        var length = 0;
        foreach (var rune in name.EnumerateRunes())
        {
            length += rune.Utf16SequenceLength;
            yield return name[..length];
        }
    }
}
