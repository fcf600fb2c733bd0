using System.Text.Json.Serialization;
using Llava.Contracts.Requests;

namespace Llava.Contracts.Documents;

/// <summary>What the HTTP API answers instead of what was asked for.</summary>
/// <param name="Error">What is wrong.</param>
public sealed record ErrorDocument(ErrorBody Error);

/// <summary>What is wrong; the four names are those of OpenAI's API, and all are always there.</summary>
/// <param name="Message">What could not be done, to which thing, and the next step.</param>
/// <param name="Type">The kind of error: <c>invalid_request_error</c>, <c>permission_denied</c>, <c>requests</c> or <c>server_error</c>.</param>
/// <param name="Code">Short snake_case word, stable across versions.</param>
/// <param name="Param">The first field that is wrong; null when none is.</param>
public sealed record ErrorBody(
    string Message,
    string Type,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Code,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Param)
{
    /// <summary>Every rule that a request breaks; null for any other error.</summary>
    public IReadOnlyList<Finding>? Findings { get; init; }
}
