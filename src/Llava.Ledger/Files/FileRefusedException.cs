namespace Llava.Ledger.Files;

/// <summary>Bytes that are not taken: too many, or not those that were promised.</summary>
/// <param name="code">Short snake_case word, stable across versions.</param>
/// <param name="message">What is wrong and the next step.</param>
/// <param name="field">The field of the request that is wrong; null when none is.</param>
public sealed class FileRefusedException(string code, string message, string? field = null) : Exception(message)
{
    /// <summary>The code of a file or part that is longer than is taken.</summary>
    public const string TooLarge = "file_too_large";

    /// <summary>Short snake_case word, stable across versions.</summary>
    public string Code { get; } = code;

    /// <summary>The field of the request that is wrong; null when none is.</summary>
    public string? Field { get; } = field;
}
