using Llava.Contracts.Requests;
using Llava.Contracts.States;

namespace Llava.Contracts.Documents;

/// <summary>A job as the HTTP API shows it.</summary>
public sealed record JobDocument
{
    /// <summary>Its identity.</summary>
    public required JobId Id { get; init; }

    /// <summary>Where it is in its life.</summary>
    public required JobState State { get; init; }

    /// <summary>What was asked for.</summary>
    public required JobRequest Request { get; init; }

    /// <summary>Whether further sources may be added to it; it is not over before it is closed.</summary>
    public bool Open { get; init; }

    /// <summary>How far it is.</summary>
    public required JobCounts Counts { get; init; }

    /// <summary>When it was submitted.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When all items of its own source were known.</summary>
    public DateTimeOffset? ExpandedAt { get; init; }

    /// <summary>When work on it began.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it was over.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>When unanswered items expire.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Answers per second between the first and the last so far.</summary>
    public double ItemsPerSecond { get; init; }

    /// <summary>Generated tokens per second between the first answer and the last so far.</summary>
    public double TokensPerSecond { get; init; }

    /// <summary>Seconds left at the rate so far; null without a rate, while the source is being read, and when the job is over.</summary>
    public double? EtaSeconds { get; init; }

    /// <summary>Why the job failed; null unless it did.</summary>
    public CauseDocument? Error { get; init; }

    /// <summary>How many items failed for which cause, the commonest first; null in lists.</summary>
    public IReadOnlyList<CauseCount>? Errors { get; init; }

    /// <summary>Sources that were added to it, in order; null in lists.</summary>
    public IReadOnlyList<PartDocument>? Parts { get; init; }

    /// <summary>How far its sample is, and what the rest will take; null where it has none, or all of it is the sample.</summary>
    public SampleDocument? Sample { get; init; }

    /// <summary>How many answers are the expected ones; null where nothing is expected, or answered yet.</summary>
    public ScoreDocument? Score { get; init; }
}

/// <summary>How many answers are the expected ones.</summary>
/// <param name="Scored">Items with an expected answer that were worked on.</param>
/// <param name="Right">Of those, items with that answer.</param>
/// <param name="Share">Share of the right ones, 0 to 1.</param>
/// <param name="Categories">The same by category, where items have any.</param>
public sealed record ScoreDocument(long Scored, long Right, double Share, IReadOnlyList<CategoryScoreDocument> Categories);

/// <summary>How many answers of a category are the expected ones.</summary>
/// <param name="Category">The category.</param>
/// <param name="Scored">Its items with an expected answer that were worked on.</param>
/// <param name="Right">Of those, items with that answer.</param>
public sealed record CategoryScoreDocument(string Category, long Scored, long Right);

/// <summary>A source that was added to an open job.</summary>
public sealed record PartDocument
{
    /// <summary>Counted from 1 in the order in which the parts were added and are read.</summary>
    public required int Number { get; init; }

    /// <summary>The source.</summary>
    public required SourceDescription Source { get; init; }

    /// <summary>Whether it was read.</summary>
    public required PartState State { get; init; }

    /// <summary>Items read from it so far.</summary>
    public int Items { get; init; }

    /// <summary>When it was added.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Why the part failed; null unless it did.</summary>
    public CauseDocument? Error { get; init; }
}

/// <summary>How many items of a job are where. Derived from the results, so no redelivery counts anything twice.</summary>
public sealed record JobCounts
{
    /// <summary>Items known so far.</summary>
    public int Total { get; init; }

    /// <summary>Items with an answer.</summary>
    public long Succeeded { get; init; }

    /// <summary>Items that could not be answered.</summary>
    public long Failed { get; init; }

    /// <summary>Items the job was cancelled before.</summary>
    public long Cancelled { get; init; }

    /// <summary>Items whose time was over.</summary>
    public long Expired { get; init; }

    /// <summary>Tokens of all prompts, image tokens included.</summary>
    public long PromptTokens { get; init; }

    /// <summary>Prompt tokens found in the KV cache.</summary>
    public long CachedTokens { get; init; }

    /// <summary>Tokens generated.</summary>
    public long CompletionTokens { get; init; }

    /// <summary>Items answered with the answer of an equal item of the same job.</summary>
    public long Copied { get; init; }

    /// <summary>Items answered with the answer that an earlier job got.</summary>
    public long Cached { get; init; }

    /// <summary>When the first item was answered.</summary>
    public DateTimeOffset? FirstAnswerAt { get; init; }

    /// <summary>When the last item so far was answered.</summary>
    public DateTimeOffset? LastAnswerAt { get; init; }
}

/// <summary>Why something failed.</summary>
/// <param name="Code">Short snake_case word, stable across versions.</param>
/// <param name="Message">What could not be done and the next step.</param>
public sealed record CauseDocument(string Code, string Message);

/// <summary>How many items failed for one cause.</summary>
/// <param name="Code">The cause.</param>
/// <param name="Count">Items that failed for it.</param>
/// <param name="FirstItem">The first of them.</param>
public sealed record CauseCount(string Code, long Count, int FirstItem);

/// <summary>A page of jobs, the newest first.</summary>
/// <param name="Data">The jobs.</param>
/// <param name="Next">What to give as <c>after</c> for the next page; null on the last.</param>
public sealed record JobPage(IReadOnlyList<JobDocument> Data, JobId? Next);

/// <summary>The answer to a retry.</summary>
/// <param name="RetriedItems">Items that are tried again.</param>
/// <param name="Job">The job as it is now.</param>
public sealed record RetriedDocument(int RetriedItems, JobDocument Job);
