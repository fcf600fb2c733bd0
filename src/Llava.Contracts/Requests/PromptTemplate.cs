namespace Llava.Contracts.Requests;

/// <summary>Joins a job's prompt with an item's own.</summary>
public static class PromptTemplate
{
    /// <summary>Stands for the item's own prompt inside the job's.</summary>
    public const string Placeholder = "{prompt}";

    /// <summary>
    /// The text to ask: the job's with <see cref="Placeholder"/> filled in; else the item's own where it has one; else the job's.
    /// Null when neither says anything.
    /// </summary>
    public static string? Compose(string? jobPrompt, string? itemPrompt) => (jobPrompt, itemPrompt) switch
    {
        (null, _) => itemPrompt,
        _ when jobPrompt.Contains(Placeholder, StringComparison.Ordinal) => itemPrompt is null ? null : jobPrompt.Replace(Placeholder, itemPrompt, StringComparison.Ordinal),
        _ => itemPrompt ?? jobPrompt,
    };
}
