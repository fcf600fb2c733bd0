using Llava.Contracts;
using Llava.Contracts.States;

namespace Llava.Ledger.Results;

/// <summary>What became of one item of a chunk, ready to be recorded.</summary>
public sealed record FinishedItem
{
    /// <summary>The item within the job.</summary>
    public required int ItemNo { get; init; }

    /// <summary>How it ended.</summary>
    public required ItemOutcome Outcome { get; init; }

    /// <summary>The answer.</summary>
    public string? Text { get; init; }

    /// <summary>Why the answer ended: <c>stop</c> or <c>length</c>.</summary>
    public string? FinishReason { get; init; }

    /// <summary>Tokens read and written.</summary>
    public TokenUsage Usage { get; init; }

    /// <summary>Where its time went; null where no model told.</summary>
    public ItemTimings? Timings { get; init; }

    /// <summary>Mean probability of the generated tokens, 0 to 1; null where none was measured.</summary>
    public double? Confidence { get; init; }

    /// <summary>The item whose answer this is a copy of, in this job or in an earlier one; null for an answer of its own. A copy costs no tokens.</summary>
    public ItemReference? CopyOf { get; init; }

    /// <summary>Why it failed.</summary>
    public Failure? Failure { get; init; }

    /// <summary>A failed item.</summary>
    public static FinishedItem Failed(int itemNo, Failure failure) => new() { ItemNo = itemNo, Outcome = ItemOutcome.Failed, Failure = failure };
}

/// <summary>An item of any job.</summary>
/// <param name="Job">The job.</param>
/// <param name="ItemNo">The item within it.</param>
public readonly record struct ItemReference(JobId Job, int ItemNo);

/// <summary>Tokens of one answer.</summary>
/// <param name="PromptTokens">Tokens of the prompt, image tokens included.</param>
/// <param name="CompletionTokens">Tokens generated.</param>
/// <param name="CachedTokens">Prompt tokens found in the KV cache.</param>
public readonly record struct TokenUsage(int PromptTokens, int CompletionTokens, int CachedTokens = 0);

/// <summary>Where the time of one answer went, in milliseconds: phases that follow on each other, from the claim of its chunk on.</summary>
/// <param name="PrepareMs">Until its images and its prompt were pixels and tokens.</param>
/// <param name="QueueMs">Waiting for a slot.</param>
/// <param name="PrefillMs">Reading the prompt, to the first token.</param>
/// <param name="DecodeMs">Generating, to the last token.</param>
public readonly record struct ItemTimings(double PrepareMs, double QueueMs, double PrefillMs, double DecodeMs);
