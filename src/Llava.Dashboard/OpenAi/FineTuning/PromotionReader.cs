using System.Text.Json;
using System.Text.Json.Nodes;
using Llava.Contracts.Requests;
using Llava.Dashboard.Api;

namespace Llava.Dashboard.OpenAi.FineTuning;

/// <summary>Reads what a model has to show before it takes a name over: the promotion of docs/fine-tuning.md, whose questions are a job that needs no model.</summary>
internal static class PromotionReader
{
    private const string Field = "promotion";

    /// <summary>The promotion; null for none.</summary>
    /// <param name="promotion">The field as it was sent.</param>
    /// <param name="model">The model that is trained.</param>
    /// <exception cref="OpenAiException">A field is missing, unknown or of the wrong kind.</exception>
    public static PromotionRequest? Read(JsonElement? promotion, string model)
    {
        if (promotion is null or { ValueKind: JsonValueKind.Null })
        {
            return null;
        }

        try
        {
            var fields = JsonSerializer.SerializeToNode(promotion);
            if (fields is JsonObject && fields["evaluate"] is JsonObject questions)
            {
                questions["model"] ??= model;
            }

            return fields.Deserialize<PromotionRequest>(ApiJson.Strict);
        }
        catch (JsonException wrong)
        {
            var field = wrong.Path is { Length: > 2 } path ? $"{Field}.{path[2..]}" : Field;
            throw OpenAiException.Invalid("invalid_value", $"'{field}' is unknown, of the wrong kind or incomplete; give 'name', 'evaluate' (a job with 'source' and 'expected'), 'at_least', 'lose_at_most' and 'again'.", field);
        }
    }
}
