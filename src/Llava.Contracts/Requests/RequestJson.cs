using System.Text.Json;
using System.Text.Json.Serialization;

namespace Llava.Contracts.Requests;

/// <summary>Requests as JSON with snake_case names.</summary>
public static class RequestJson
{
    /// <summary>
    /// How requests are written. By reflection on purpose: generated code forgets the default of an init-only property that
    /// the JSON leaves out (.NET 10), and a caller's short request depends on those.
    /// </summary>
    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.General)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>The request as JSON.</summary>
    public static string Write(JobRequest request) => JsonSerializer.Serialize(request, Options);

    /// <summary>A text as it stands inside the JSON that <see cref="Write"/> makes, to look for it there.</summary>
    public static string Text(string text) => JsonEncodedText.Encode(text).ToString();

    /// <summary>The request in the JSON; what it leaves out has its default.</summary>
    /// <exception cref="JsonException">It is no request.</exception>
    public static JobRequest Read(string json) => JsonSerializer.Deserialize<JobRequest>(json, Options) ?? throw new JsonException("A request was expected, not null.");
}
