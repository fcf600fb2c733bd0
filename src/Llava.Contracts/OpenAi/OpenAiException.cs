using System.Text.Json;

namespace Llava.Contracts.OpenAi;

/// <summary>A request of the OpenAI-compatible API that cannot be served, with the status and the four words of the answer.</summary>
/// <param name="status">HTTP status of the answer. What breaks a rule is 400: OpenAI's libraries try 408, 409, 429 and from 500 on again.</param>
/// <param name="type">Kind of error, such as <c>invalid_request_error</c>.</param>
/// <param name="code">Short snake_case word, stable across versions; null when there is none.</param>
/// <param name="param">The field that is wrong; null when none is.</param>
/// <param name="message">What could not be done and the next step.</param>
public sealed class OpenAiException(int status, string type, string? code, string? param, string message) : Exception(message)
{
    /// <summary>The kind of error of whatever breaks a rule.</summary>
    public const string InvalidRequest = "invalid_request_error";

    private const int BadRequest = 400;

    private const int Missing = 404;

    /// <summary>HTTP status of the answer.</summary>
    public int Status { get; } = status;

    /// <summary>Kind of error.</summary>
    public string ErrorType { get; } = type;

    /// <summary>Short snake_case word, stable across versions; null when there is none.</summary>
    public string? Code { get; } = code;

    /// <summary>The field that is wrong; null when none is.</summary>
    public string? Param { get; } = param;

    /// <summary>After how long to ask again; null where asking again does not help.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>A request that breaks a rule.</summary>
    public static OpenAiException Invalid(string code, string message, string? param = null) =>
        new(BadRequest, InvalidRequest, code, param, message);

    /// <summary>A thing that is not there, or not the caller's.</summary>
    public static OpenAiException NotFound(string code, string message, string? param = null) =>
        new(Missing, InvalidRequest, code, param, message);

    /// <summary>A body that is JSON, and of which a field is of the wrong kind or missing.</summary>
    public static OpenAiException OfJson(JsonException wrong) => wrong.Path is { Length: > 2 } path
        ? Invalid("invalid_type", $"'{path[2..]}' is of the wrong kind or incomplete; docs/openai.md lists the fields.", path[2..])
        : Invalid("missing_required_parameter", $"The body lacks a field that is required: {wrong.Message}");
}
