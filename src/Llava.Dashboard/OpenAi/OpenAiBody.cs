using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Llava.Dashboard.OpenAi;

/// <summary>Reads JSON bodies as OpenAI does: fields it does not know are passed over, unless the server is told to be strict.</summary>
internal sealed partial class OpenAiBody(IOptions<OpenAiOptions> options, ILogger<OpenAiBody> logger)
{
    /// <summary>The body.</summary>
    /// <exception cref="OpenAiException">It is no JSON object, or a field is missing or of the wrong kind.</exception>
    public async Task<T> ReadAsync<T>(HttpRequest request, JsonTypeInfo<T> type, CancellationToken cancellation)
        where T : class
    {
        using var body = await ParseAsync(request, cancellation);
        if (body.RootElement.ValueKind != JsonValueKind.Object)
        {
            throw OpenAiException.Invalid("invalid_json", $"The body is a JSON {body.RootElement.ValueKind}; send an object.");
        }

        TellUnknown(body.RootElement, type);
        try
        {
            return body.RootElement.Deserialize(type)!;
        }
        catch (JsonException wrong)
        {
            throw OpenAiException.OfJson(wrong);
        }
    }

    private async Task<JsonDocument> ParseAsync(HttpRequest request, CancellationToken cancellation)
    {
        try
        {
            return await JsonDocument.ParseAsync(request.Body, new() { MaxDepth = options.Value.MaxDepth, AllowDuplicateProperties = false }, cancellation);
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            // The latter for half a character (a lone surrogate) in a name.
            throw OpenAiException.Invalid("invalid_json", $"The body is no JSON that can be read: {broken.Message}");
        }
    }

    private void TellUnknown(JsonElement body, JsonTypeInfo type)
    {
        var known = type.Properties.Select(property => property.Name).ToHashSet(StringComparer.Ordinal);
        var unknown = body.EnumerateObject().Select(field => field.Name).Where(name => !known.Contains(name)).ToList();
        if (unknown.Count == 0)
        {
            return;
        }

        if (options.Value.Strict)
        {
            throw OpenAiException.Invalid("unknown_parameter", $"'{unknown[0]}' is not known here; leave it out, or set Llava:OpenAi:Strict to false to have it passed over.", unknown[0]);
        }

        PassedOver(unknown);
    }

    [LoggerMessage(5002, LogLevel.Debug, "Fields that are not known were passed over: {Fields}")]
    private partial void PassedOver(IReadOnlyList<string> fields);
}
