using System.Text.Json.Serialization;

namespace Llava.Contracts.Interactive;

/// <summary>Why an interactive request came to nothing.</summary>
/// <param name="Kind">Whose fault it is, and whether asking again helps.</param>
/// <param name="Code">Short snake_case word, stable across versions.</param>
/// <param name="Message">What could not be done and the next step.</param>
/// <param name="Param">The field that is wrong; null when none is.</param>
/// <param name="RetryAfterSeconds">When asking again may help; null where nothing is known.</param>
public sealed record InteractiveError(InteractiveFailure Kind, string Code, string Message, string? Param = null, int? RetryAfterSeconds = null);

/// <summary>Kinds of failures.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<InteractiveFailure>))]
public enum InteractiveFailure
{
    /// <summary>The request is wrong and stays wrong.</summary>
    Refused,

    /// <summary>There is no such model.</summary>
    ModelNotFound,

    /// <summary>Too many wait already.</summary>
    Busy,

    /// <summary>The model, or who runs it, cannot answer now.</summary>
    Unavailable,

    /// <summary>Something broke on our side.</summary>
    Broken,
}

/// <summary>An interactive request came to nothing.</summary>
/// <param name="error">Why.</param>
/// <param name="inner">The cause.</param>
public sealed class InteractiveException(InteractiveError error, Exception? inner = null) : Exception(error.Message, inner)
{
    /// <summary>Why.</summary>
    public InteractiveError Error { get; } = error;
}
