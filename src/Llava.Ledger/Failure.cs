namespace Llava.Ledger;

/// <summary>Why an item or a job failed.</summary>
/// <param name="Code">Short snake_case word that can be counted, such as <c>unreadable_image</c>.</param>
/// <param name="Message">What could not be done, to which thing, and the next step.</param>
public sealed record Failure(string Code, string Message)
{
    /// <summary>The field that is wrong, while a source is read; null when none is. It is not kept with results.</summary>
    public string? Param { get; init; }
}
