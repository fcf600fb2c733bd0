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

    /// <summary>Mean probability of the generated tokens, 0 to 1; null where none was measured.</summary>
    public double? Confidence { get; init; }

    /// <summary>Why it failed.</summary>
    public CauseDocument? Error { get; init; }

    /// <summary>Milliseconds spent waiting for a slot.</summary>
    public double QueueMs { get; init; }

    /// <summary>Milliseconds spent reading the prompt.</summary>
    public double PrefillMs { get; init; }

    /// <summary>Milliseconds spent generating.</summary>
    public double DecodeMs { get; init; }

    /// <summary>The worker that answered.</summary>
    public string? Worker { get; init; }

    /// <summary>Revision of the model that answered.</summary>
    public string? ModelRevision { get; init; }

    /// <summary>Attempts its chunk took.</summary>
    public int Attempts { get; init; }

    /// <summary>When it was recorded.</summary>
    public DateTimeOffset FinishedAt { get; init; }
}
