using System.Text;
using System.Text.Json.Nodes;

namespace Llava.ModelCore.Grammars.Schemas;

/// <summary>
/// JSON as it is written here: without white space, but for at most one space behind a colon or a comma; numbers in at most 15 digits before and behind the
/// point, so that every reader gets the same number.
/// </summary>
internal static class JsonText
{
    public const string Value = "json value";
    public const string ObjectValue = "json object";
    public const string ArrayValue = "json array";
    public const string StringValue = "json string";
    public const string NumberValue = "json number";
    public const string Character = "json character";

    private static readonly RuneSet Quoted = RuneSet.OfText("\"\\").Union(RuneSet.Of((0, 0x1F)));

    public static Expression Colon { get; } = Expression.Sequence(Expression.Text(":"), Expression.Optional(Expression.Text(" ")));

    public static Expression Comma { get; } = Expression.Sequence(Expression.Text(","), Expression.Optional(Expression.Text(" ")));

    public static Expression Quote { get; } = Expression.Text("\"");

    /// <summary>The rules of JSON itself, for those of a schema to stand on.</summary>
    public static Dictionary<string, Expression> Rules() => new(StringComparer.Ordinal)
    {
        [Value] = Expression.Choice(
            new Expression.Call(ObjectValue), new Expression.Call(ArrayValue), new Expression.Call(StringValue), new Expression.Call(NumberValue),
            Expression.Text("true"), Expression.Text("false"), Expression.Text("null")),
        [ObjectValue] = Expression.Sequence(
            Expression.Text("{"), Expression.Optional(List(Expression.Sequence(new Expression.Call(StringValue), Colon, new Expression.Call(Value)))), Expression.Text("}")),
        [ArrayValue] = Expression.Sequence(Expression.Text("["), Expression.Optional(List(new Expression.Call(Value))), Expression.Text("]")),
        [StringValue] = Expression.Sequence(Quote, Expression.Many(new Expression.Call(Character)), Quote),
        [NumberValue] = Number(canHaveFraction: true),
        [Character] = Expression.Choice(Expression.Any(Quoted.Complement()), RegexParser.ParseWhole("""\\(["\\/bfnrt]|u([0-9a-ce-fA-CE-F][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2}))""")),
    };

    /// <summary>The rules of one JSON object.</summary>
    public static Dictionary<string, Expression> RulesOfObject() => new(Rules(), StringComparer.Ordinal) { [Grammar.Root] = new Expression.Call(ObjectValue) };

    /// <summary>One or more, with commas between them.</summary>
    public static Expression List(Expression item) => Expression.Sequence(item, Expression.Many(Expression.Sequence(Comma, item)));

    /// <summary>A number with any value that 15 digits hold; 18 where there is no fraction.</summary>
    public static Expression Number(bool canHaveFraction) =>
        RegexParser.ParseWhole(canHaveFraction ? @"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?" : "-?(0|[1-9][0-9]{0,17})");

    /// <summary>A value, as it is written here.</summary>
    public static Expression Constant(JsonNode? value) => value switch
    {
        JsonObject fields => Expression.Sequence(
            [Expression.Text("{"), .. Between(fields.Select(field => Expression.Sequence(Constant(JsonValue.Create(field.Key)), Colon, Constant(field.Value)))), Expression.Text("}")]),
        JsonArray items => Expression.Sequence([Expression.Text("["), .. Between(items.Select(Constant)), Expression.Text("]")]),
        JsonValue text when text.TryGetValue<string>(out var content) => Expression.Sequence(Quote, Quoting(Expression.Sequence([.. content.EnumerateRunes().Select(rune => Expression.Any(RuneSet.Of(rune)))])), Quote),
        null => Expression.Text("null"),
        _ => Expression.Text(value.ToJsonString()),
    };

    /// <summary>The same texts inside a JSON string: each character in the one way in which it is written, escaped only where it must be.</summary>
    public static Expression Quoting(Expression text) => text switch
    {
        Expression.Characters characters => Quoting(characters.Set),
        Expression.SequenceOf sequence => new Expression.SequenceOf([.. sequence.Parts.Select(Quoting)]),
        Expression.OneOf choice => new Expression.OneOf([.. choice.Options.Select(Quoting)]),
        Expression.Repetition repetition => repetition with { Item = Quoting(repetition.Item) },
        Expression.Graph graph => graph with { Edges = [.. graph.Edges.Select(edge => edge with { Text = Quoting(edge.Text) })] },
        _ => throw new ArgumentException($"A text of characters was expected, not {text.GetType().Name}.", nameof(text)),
    };

    private static Expression Quoting(RuneSet set) => Expression.Choice(
        [Expression.Any(set.Except(Quoted)), .. set.Intersect(Quoted).Runes().Select(rune => Expression.Text(Escaped((char)rune)))]);

    private static string Escaped(char character) => character switch
    {
        '"' => "\\\"",
        '\\' => "\\\\",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        '\b' => "\\b",
        '\f' => "\\f",
        _ => FormattableString.Invariant($"\\u{(int)character:x4}"),
    };

    private static IEnumerable<Expression> Between(IEnumerable<Expression> items) => items.SelectMany((item, index) => index == 0 ? [item] : (Expression[])[Comma, item]);
}
