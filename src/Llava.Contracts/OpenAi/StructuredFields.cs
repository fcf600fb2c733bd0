using System.Text.Json;
using Llava.Contracts.Interactive;

namespace Llava.Contracts.OpenAi;

/// <summary>
/// Reads what answers have to look like, in the words of OpenAI (<c>response_format</c>) and of vLLM (<c>structured_outputs</c>, <c>guided_…</c>). Whether a
/// schema or an expression can be used is said by the consumer, who uses it.
/// </summary>
internal static class StructuredFields
{
    private const int MostChoices = 256;
    private const int LongestText = 1_000_000;

    /// <exception cref="OpenAiException">It is wrong, or is said more than once.</exception>
    public static ChatSettings Read(ChatBody body, ChatSettings settings)
    {
        List<(string Field, ChatSettings Shaped)> shapes = [];
        Add("response_format", body.ResponseFormat, (format, _) => ReadFormat(format, settings));
        Add("guided_json", body.GuidedJson, (schema, field) => settings with { JsonSchema = Schema(schema, field) });
        Add("guided_regex", body.GuidedRegex, (regex, field) => settings with { Regex = Text(regex, field) });
        Add("guided_choice", body.GuidedChoice, (choices, field) => settings with { Alternatives = Choices(choices, field) });
        if (body.StructuredOutputs is { ValueKind: not JsonValueKind.Null } outputs)
        {
            Add("structured_outputs", outputs, (_, _) => ReadOutputs(outputs, settings));
        }

        return shapes switch
        {
            [] => settings,
            [var (field, _)] when body.Stop is { ValueKind: not JsonValueKind.Null } && settings.StopStrings.Count > 0 =>
                throw OpenAiException.Invalid("invalid_value", $"'stop' cannot end an answer that '{field}' gives a form; leave one of them out.", "stop"),
            [var (_, shaped)] => shaped,
            _ => throw OpenAiException.Invalid("invalid_value", $"'{shapes[1].Field}' says what answers look like, and so does '{shapes[0].Field}'; give one of them.", shapes[1].Field),
        };

        void Add(string field, JsonElement? value, Func<JsonElement, string, ChatSettings> read)
        {
            if (value is { ValueKind: not JsonValueKind.Null } given && read(given, field) is var shaped && shaped != settings)
            {
                shapes.Add((field, shaped));
            }
        }
    }

    private static ChatSettings ReadFormat(JsonElement format, ChatSettings settings)
    {
        var type = format.ValueKind == JsonValueKind.Object && format.TryGetProperty("type", out var named) && named.ValueKind == JsonValueKind.String ? named.GetString() : null;
        return type switch
        {
            "text" => settings,
            "json_object" => settings with { JsonObject = true },
            "json_schema" when format.TryGetProperty("json_schema", out var schema) && schema.ValueKind == JsonValueKind.Object && schema.TryGetProperty("schema", out var content) =>
                settings with { JsonSchema = Schema(content, "response_format.json_schema.schema") },
            "json_schema" => throw OpenAiException.Invalid("missing_required_parameter", "'response_format.json_schema.schema' is missing.", "response_format.json_schema.schema"),
            _ => throw OpenAiException.Invalid("invalid_value", "'response_format' must have the type text, json_object or json_schema.", "response_format.type"),
        };
    }

    private static ChatSettings ReadOutputs(JsonElement outputs, ChatSettings settings)
    {
        if (outputs.ValueKind != JsonValueKind.Object)
        {
            throw OpenAiException.Invalid("invalid_value", "'structured_outputs' must be an object.", "structured_outputs");
        }

        var given = outputs.EnumerateObject().Where(field => field.Value.ValueKind is not (JsonValueKind.Null or JsonValueKind.False)).ToList();
        if (given.Count > 1)
        {
            throw OpenAiException.Invalid("invalid_value", $"'structured_outputs' says with '{given[0].Name}' and with '{given[1].Name}' what answers look like; give one of them.", "structured_outputs");
        }

        return given switch
        {
            [] => settings,
            [{ Name: "json" } json] => settings with { JsonSchema = Schema(json.Value, "structured_outputs.json") },
            [{ Name: "regex" } regex] => settings with { Regex = Text(regex.Value, "structured_outputs.regex") },
            [{ Name: "choice" } choice] => settings with { Alternatives = Choices(choice.Value, "structured_outputs.choice") },
            [{ Name: "json_object", Value.ValueKind: JsonValueKind.True }] => settings with { JsonObject = true },
            [var other, ..] => throw OpenAiException.Invalid(
                "unsupported_parameter", $"'structured_outputs.{other.Name}' is not supported here; there are json, regex, choice and json_object.", $"structured_outputs.{other.Name}"),
        };
    }

    /// <summary>A schema, or the text of one, as vLLM's clients may write it.</summary>
    private static JsonElement Schema(JsonElement value, string field)
    {
        if (value.ValueKind != JsonValueKind.String)
        {
            return value;
        }

        try
        {
            return JsonElement.Parse(value.GetString()!);
        }
        catch (JsonException broken)
        {
            throw OpenAiException.Invalid("invalid_json_schema", $"'{field}' is no JSON: {broken.Message}", field);
        }
    }

    private static string Text(JsonElement value, string field) => value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 and <= LongestText } text
        ? text
        : throw OpenAiException.Invalid("invalid_value", $"'{field}' must be a text that is not empty.", field);

    private static List<string> Choices(JsonElement value, string field)
    {
        List<string> texts = value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(text => text.ValueKind == JsonValueKind.String)
            ? [.. value.EnumerateArray().Select(text => text.GetString()!)]
            : [];
        return texts.Count is > 0 and <= MostChoices && texts.TrueForAll(text => text.Length > 0) && texts.Distinct(StringComparer.Ordinal).Count() == texts.Count
            ? texts
            : throw OpenAiException.Invalid("invalid_value", $"'{field}' must be a list of 1 to {MostChoices} texts, none of them empty and no two of them equal.", field);
    }
}
