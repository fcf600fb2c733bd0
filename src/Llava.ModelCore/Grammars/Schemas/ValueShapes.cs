using System.Text.Json.Nodes;
using static Llava.ModelCore.Grammars.Schemas.SchemaKeywords;

namespace Llava.ModelCore.Grammars.Schemas;

/// <summary>Arrays, texts and numbers of a schema.</summary>
internal static class ValueShapes
{
    /// <summary>An array.</summary>
    /// <param name="schema">Its schema.</param>
    /// <param name="path">Where the schema is.</param>
    /// <param name="valueOf">What a schema's values are, by the schema and its path.</param>
    public static Expression Array(JsonObject schema, string path, Func<JsonNode?, string, Expression> valueOf)
    {
        var (least, most) = Range(schema, "minItems", "maxItems", path);
        if (most == 0)
        {
            return Expression.Text("[]");
        }

        var item = schema.TryGetPropertyValue("items", out var items) ? valueOf(items, Below(path, "items")) : new Expression.Call(JsonText.Value);
        var list = Expression.Sequence(item, Expression.Many(Expression.Sequence(JsonText.Comma, item), Math.Max(0, least - 1), most - 1));
        return Expression.Sequence(Expression.Text("["), least == 0 ? Expression.Optional(list) : list, Expression.Text("]"));
    }

    /// <summary>A text.</summary>
    public static Expression String(JsonObject schema, string path)
    {
        var (least, most) = Range(schema, "minLength", "maxLength", path);
        var isCounted = least > 0 || most is not null;
        if (Content(schema, path) is not { } content)
        {
            return isCounted
                ? Expression.Sequence(JsonText.Quote, Expression.Many(new Expression.Call(JsonText.Character), least, most), JsonText.Quote)
                : new Expression.Call(JsonText.StringValue);
        }

        if (isCounted)
        {
            content = CountedText.Of(content, least, most) ?? throw GrammarException.Schema(
                Below(path, most is null ? "minLength" : "maxLength"), "is too much for the pattern beside it. Give a smaller one, or say it in the pattern.");
        }

        return Expression.Sequence(JsonText.Quote, JsonText.Quoting(content), JsonText.Quote);
    }

    /// <summary>A number, or a whole number.</summary>
    public static Expression Number(JsonObject schema, string path, bool canHaveFraction)
    {
        var (low, lowIsIn) = Bound("minimum", "exclusiveMinimum", (a, b) => a > b);
        var (high, highIsIn) = Bound("maximum", "exclusiveMaximum", (a, b) => a < b);
        return low is not null || high is not null ? new DecimalRange(low, lowIsIn, high, highIsIn, canHaveFraction).ToExpression()
            : canHaveFraction ? new Expression.Call(JsonText.NumberValue) : JsonText.Number(canHaveFraction: false);

        (decimal? Value, bool IsIn) Bound(string inclusive, string exclusive, Func<decimal, decimal, bool> isTighter) =>
            (SchemaKeywords.Number(schema, inclusive, path), SchemaKeywords.Number(schema, exclusive, path)) switch
            {
                ({ } including, { } excluding) when isTighter(including, excluding) => (including, true),
                (_, { } excluding) => (excluding, false),
                (var including, _) => (including, true),
            };
    }

    private static Expression? Content(JsonObject schema, string path)
    {
        var (pattern, format) = (Text(schema, "pattern", path), Text(schema, "format", path));
        if (pattern is not null && format is not null)
        {
            throw GrammarException.Schema(Below(path, "format"), "stands beside 'pattern', which is not supported. Give one of the two.");
        }

        if (format is not null)
        {
            return StringFormats.Find(format) ?? throw GrammarException.Schema(Below(path, "format"), $"is '{format}'; there are {string.Join(", ", StringFormats.Names)}.");
        }

        try
        {
            return pattern is null ? null : RegexParser.ParseAnywhere(pattern);
        }
        catch (GrammarException broken)
        {
            throw GrammarException.Schema(Below(path, "pattern"), $"cannot be used. {broken.Message}");
        }
    }

    private static (int Least, int? Most) Range(JsonObject schema, string least, string most, string path)
    {
        var (low, high) = (Count(schema, least, path) ?? 0, Count(schema, most, path));
        return high < low ? throw GrammarException.Schema(Below(path, most), $"is {high}, and '{least}' is {low}.") : (low, high);
    }
}
