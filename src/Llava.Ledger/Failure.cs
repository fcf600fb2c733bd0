namespace Llava.Ledger;

/// <summary>Why an item or a job failed.</summary>
/// <param name="Code">Short snake_case word that can be counted, such as <c>unreadable_image</c>.</param>
/// <param name="Message">What could not be done, to which thing, and the next step.</param>
public sealed record Failure(string Code, string Message);
