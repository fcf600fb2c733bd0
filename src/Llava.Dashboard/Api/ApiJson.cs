using System.Text.Json;
using System.Text.Json.Serialization;
using Llava.Contracts.Requests;
using Microsoft.AspNetCore.Http;

namespace Llava.Dashboard.Api;

/// <summary>Reads bodies strictly: a mistyped field is told to its sender instead of being passed over.</summary>
internal static class ApiJson
{
    private const int MaxDepth = 32;

    /// <summary>As requests are read, and nothing that is not known.</summary>
    public static JsonSerializerOptions Strict { get; } = new(RequestJson.Options)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>The body.</summary>
    /// <exception cref="ApiException">It is no JSON.</exception>
    public static async Task<JsonElement> ReadAsync(HttpRequest request, CancellationToken cancellation)
    {
        try
        {
            using var document = await JsonDocument.ParseAsync(request.Body, new() { MaxDepth = MaxDepth, AllowDuplicateProperties = false }, cancellation);
            return document.RootElement.Clone();
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            // The latter for half a character (a lone surrogate) in a name.
            throw new ApiException(StatusCodes.Status400BadRequest, "invalid_json", $"The body is no JSON that can be read: {broken.Message}");
        }
    }

    /// <summary>What the JSON says.</summary>
    /// <exception cref="ApiException">A field is missing, unknown or of the wrong kind.</exception>
    public static T Read<T>(JsonElement json)
    {
        try
        {
            return json.Deserialize<T>(Strict) ?? throw new JsonException("null", "$", null, null);
        }
        catch (JsonException wrong)
        {
            var field = wrong.Path is { Length: > 2 } path ? path[2..] : null;
            throw new ApiException(StatusCodes.Status422UnprocessableEntity, "invalid_request", field is null
                ? "The body lacks a field that is required, or is no JSON object; docs/api.md lists the fields."
                : $"'{field}' is unknown, of the wrong kind or incomplete; docs/api.md lists the fields.", field);
        }
    }
}
