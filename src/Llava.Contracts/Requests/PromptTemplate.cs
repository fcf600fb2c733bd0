using System.Text.RegularExpressions;

namespace Llava.Contracts.Requests;

/// <summary>
/// A job's prompt with places for an item's fields: <c>{title}</c> is the field <c>title</c> of the item's row, <c>{prompt}</c> the
/// item's own prompt, and <c>{{title}}</c> the word in braces itself. Any other brace stands for itself, so that JSON in a prompt
/// needs no care.
/// </summary>
public sealed partial class PromptTemplate
{
    /// <summary>The field that is the item's own prompt, whatever its source calls it.</summary>
    public const string OwnPrompt = "prompt";

    private readonly string _text;

    /// <summary>Reads a template; every text is one.</summary>
    public PromptTemplate(string text)
    {
        _text = text;
        Fields = [.. Places().Matches(text).Select(place => place.Groups["field"]).Where(field => field.Success).Select(field => field.Value).Distinct()];
    }

    /// <summary>Names of the fields it asks for, each once, in order.</summary>
    public IReadOnlyList<string> Fields { get; }

    /// <summary>
    /// The text that is asked: the item's, which has been filled in when the job was read in; else the job's. Null when neither says anything.
    /// </summary>
    public static string? Compose(string? jobPrompt, string? itemPrompt) =>
        itemPrompt ?? (jobPrompt?.Contains('{', StringComparison.Ordinal) == true ? new PromptTemplate(jobPrompt).Fill(_ => "") : jobPrompt);

    /// <summary>The text with every field filled in.</summary>
    public string Fill(Func<string, string> valueOf) =>
        Places().Replace(_text, place => place.Groups["field"] is { Success: true } field ? valueOf(field.Value) : place.Value[1..^1]);

    [GeneratedRegex(@"\{\{[\p{L}_][\p{L}\p{Nd}_.\- ]*\}\}|\{(?<field>[\p{L}_][\p{L}\p{Nd}_.\- ]*)\}")]
    private static partial Regex Places();
}
