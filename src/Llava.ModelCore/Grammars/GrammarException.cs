namespace Llava.ModelCore.Grammars;

/// <summary>What answers must look like cannot be understood, or asks for something that is not supported; never retryable.</summary>
/// <param name="code">Stable word: <c>invalid_regex</c>, <c>invalid_json_schema</c> or <c>invalid_grammar</c>.</param>
/// <param name="message">What is wrong, where, and what to do about it.</param>
public sealed class GrammarException(string code, string message) : LlavaException(message, isRetryable: false)
{
    /// <summary>Stable word for the cause.</summary>
    public string Code { get; } = code;

    internal static GrammarException Regex(string pattern, int position, string what) =>
        new("invalid_regex", $"The regular expression '{pattern}' cannot be used: {what} at character {position + 1}.");

    internal static GrammarException Schema(string path, string what) => new("invalid_json_schema", $"The JSON schema cannot be used: '{path}' {what}");
}
