namespace Llava.Dashboard.Api;

/// <summary>A request that cannot be served, with the status and the words of the answer.</summary>
/// <param name="status">HTTP status of the answer.</param>
/// <param name="code">Short snake_case word, stable across versions.</param>
/// <param name="message">What could not be done and the next step.</param>
/// <param name="param">The field that is wrong; null when none is.</param>
public sealed class ApiException(int status, string code, string message, string? param = null) : Exception(message)
{
    /// <summary>HTTP status of the answer.</summary>
    public int Status { get; } = status;

    /// <summary>Short snake_case word, stable across versions.</summary>
    public string Code { get; } = code;

    /// <summary>The field that is wrong; null when none is.</summary>
    public string? Param { get; } = param;
}
