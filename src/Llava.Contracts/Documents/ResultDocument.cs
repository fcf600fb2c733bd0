using Llava.Contracts.States;

namespace Llava.Contracts.Documents;

/// <summary>An item and what became of it: one line of a job's results.</summary>
public sealed record ResultDocument
{
    /// <summary>The item within the job, counted from 0; what <c>after</c> names.</summary>
    public required int ItemNo { get; init; }

    /// <summary>The caller's name for it.</summary>
    public required string CustomId { get; init; }

    /// <summary>Where its images are.</summary>
    public required IReadOnlyList<string> Images { get; init; }

    /// <summary>The text that was asked.</summary>
    public string? Prompt { get; init; }

    /// <summary>A label that evaluation groups by.</summary>
    public string? Category { get; init; }

    /// <summary>The model that it asked instead of the job's; null when it asked the job's.</summary>
    public string? Model { get; init; }

    /// <summary>How it ended.</summary>
    public required ItemOutcome Outcome { get; init; }

    /// <summary>The answer.</summary>
    public string? Text { get; init; }

    /// <summary>Why the answer ended: <c>stop</c> or <c>length</c>.</summary>
    public string? FinishReason { get; init; }

    /// <summary>Tokens of the prompt, image tokens included.</summary>
    public int PromptTokens { get; init; }

    /// <summary>Tokens generated.</summary>
    public int CompletionTokens { get; init; }

    /// <summary>Prompt tokens found in the KV cache.</summary>
    public int CachedTokens { get; init; }

    /// <summary>Mean probability of the generated tokens, or the answer's share among the choices there were, 0 to 1; null where none was measured.</summary>
    public double? Confidence { get; init; }

    /// <summary>Why it failed.</summary>
    public CauseDocument? Error { get; init; }

    /// <summary>The item whose answer this is a copy of; null for an answer of its own.</summary>
    public CopiedDocument? CopyOf { get; init; }

    /// <summary>Where the time went, from the claim on; null where no model told.</summary>
    public TimingsDocument? Timings { get; init; }

    /// <summary>When its chunk was put on the queue; null for an item that never was.</summary>
    public DateTimeOffset? QueuedAt { get; init; }

    /// <summary>When a worker claimed its chunk; null for an item that never was.</summary>
    public DateTimeOffset? ClaimedAt { get; init; }

    /// <summary>The worker that answered.</summary>
    public string? Worker { get; init; }

    /// <summary>Revision of the model that answered.</summary>
    public string? ModelRevision { get; init; }

    /// <summary>Attempts its chunk took.</summary>
    public int Attempts { get; init; }

    /// <summary>When it was recorded.</summary>
    public DateTimeOffset FinishedAt { get; init; }
}

/// <summary>An item of this job or of an earlier one.</summary>
/// <param name="Job">The job.</param>
/// <param name="ItemNo">The item within it.</param>
public sealed record CopiedDocument(JobId Job, int ItemNo);

/// <summary>Phases of one answer, in milliseconds.</summary>
/// <param name="PrepareMs">Until its images and its prompt were pixels and tokens.</param>
/// <param name="QueueMs">Waiting for a slot.</param>
/// <param name="PrefillMs">Reading the prompt, to the first token.</param>
/// <param name="DecodeMs">Generating, to the last token.</param>
public sealed record TimingsDocument(double PrepareMs, double QueueMs, double PrefillMs, double DecodeMs);
