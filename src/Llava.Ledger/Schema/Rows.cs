using Llava.Contracts.States;
using Llava.Ledger.Keys;

namespace Llava.Ledger.Schema;

/// <summary>A job. Times are Unix milliseconds, which order and compare alike in both databases.</summary>
internal sealed class JobRow
{
    public long Id { get; init; }
    public required string Tenant { get; init; }
    public JobState State { get; init; }
    public int Priority { get; init; }
    public required string Model { get; init; }

    /// <summary>The request as JSON.</summary>
    public required string Request { get; init; }
    public string? IdempotencyKey { get; init; }

    /// <summary>Where the source's reader goes on; null before the first item and after the last.</summary>
    public string? SourcePosition { get; init; }
    public int ItemCount { get; init; }
    public long CreatedAt { get; init; }
    public long? ExpandedAt { get; init; }
    public long? StartedAt { get; init; }
    public long? FinishedAt { get; init; }
    public long? ExpiresAt { get; init; }
    public string? ErrorCode { get; init; }
    public string? ErrorMessage { get; init; }

    /// <summary>Counts as JSON, written once when the job is over, so that no later page counts a million rows again.</summary>
    public string? FinalProgress { get; init; }

    /// <summary>When the end was published; null until then.</summary>
    public long? AnnouncedAt { get; init; }

    /// <summary>When its counts were last looked at for an event, and the items that were done by then.</summary>
    public long? ReportedAt { get; init; }
    public long? ReportedItems { get; init; }

    /// <summary>Context of the span that submitted the job, as W3C's <c>traceparent</c>.</summary>
    public string? TraceParent { get; init; }

    /// <summary>Whether parts may be added; the job does not end before it is closed.</summary>
    public bool Open { get; init; }

    /// <summary>Chunks from this number on are the job's sample, which is worked on first; null where it has none.</summary>
    public int? SampleChunk { get; init; }

    /// <summary>What the sample came to, as JSON; null until it was worked on. From then on everything may be handed out.</summary>
    public string? SampleResult { get; init; }
}

/// <summary>A source that was added to an open job.</summary>
internal sealed class PartRow
{
    public long JobId { get; init; }

    /// <summary>Counted from 1 in the order in which they were added and are read.</summary>
    public int PartNo { get; init; }

    /// <summary>The source as JSON.</summary>
    public required string Source { get; init; }
    public string? IdempotencyKey { get; init; }
    public PartState State { get; init; }

    /// <summary>Where the source's reader goes on; null before the first item.</summary>
    public string? Position { get; init; }

    /// <summary>Number of its first item; null before there is one.</summary>
    public int? FirstItem { get; init; }
    public int ItemCount { get; init; }
    public string? ErrorCode { get; init; }
    public string? ErrorMessage { get; init; }
    public long CreatedAt { get; init; }
}

/// <summary>An item; written once.</summary>
internal sealed class ItemRow
{
    public long JobId { get; init; }
    public int ItemNo { get; init; }
    public required string CustomId { get; init; }

    /// <summary>Image references as a JSON array.</summary>
    public required string Images { get; init; }
    public string? Prompt { get; init; }
    public string? Category { get; init; }

    /// <summary>The model that it asks instead of the job's; null asks the job's.</summary>
    public string? Model { get; init; }

    /// <summary>What it asks for beyond one question, as JSON.</summary>
    public string? Chat { get; init; }
}

/// <summary>A run of consecutive items: the unit that is leased and sent.</summary>
internal sealed class ChunkRow
{
    public long JobId { get; init; }
    public int ChunkNo { get; init; }
    public int FirstItem { get; init; }
    public int ItemCount { get; init; }

    /// <summary>Predicted tokens, in which shares are measured.</summary>
    public long Tokens { get; init; }
    public ChunkState State { get; init; }

    /// <summary>The model that its items ask instead of the job's; null where they ask the job's.</summary>
    public string? Model { get; init; }

    /// <summary>Claims that were not given back.</summary>
    public int Attempts { get; init; }

    /// <summary>Counts claims and never falls, so that a former owner can never be taken for the present one.</summary>
    public int Fence { get; init; }
    public string? Owner { get; init; }
    public long? ClaimedAt { get; init; }
    public long? LeaseUntil { get; init; }
    public long? PublishedAt { get; init; }
    public string? Error { get; init; }
}

/// <summary>What became of an item. An item is done when this row exists.</summary>
internal sealed class ResultRow
{
    public long JobId { get; init; }
    public int ItemNo { get; init; }
    public ItemOutcome Outcome { get; init; }
    public string? Text { get; init; }
    public string? FinishReason { get; init; }
    public int PromptTokens { get; init; }
    public int CompletionTokens { get; init; }
    public int CachedTokens { get; init; }

    /// <summary>When its chunk was put on the queue and when it was claimed; null for an item that never was.</summary>
    public long? QueuedAt { get; init; }
    public long? ClaimedAt { get; init; }

    /// <summary>From the claim to the tokens and pixels; null when the times of the answer are not known. The next three follow on each other.</summary>
    public double? PrepareMs { get; init; }
    public double QueueMs { get; init; }
    public double PrefillMs { get; init; }
    public double DecodeMs { get; init; }
    public double? Confidence { get; init; }
    public string? ErrorCode { get; init; }
    public string? ErrorMessage { get; init; }
    public string? Worker { get; init; }
    public string? ModelRevision { get; init; }
    public int Attempts { get; init; }
    public long FinishedAt { get; init; }

    /// <summary>The item whose answer this is a copy of; null for an answer of its own.</summary>
    public long? SourceJobId { get; init; }
    public int? SourceItemNo { get; init; }
}

/// <summary>What a person said of an item's answer.</summary>
internal sealed class ReviewRow
{
    public long JobId { get; init; }
    public int ItemNo { get; init; }

    /// <summary>Counted from 1 for each item.</summary>
    public int ReviewNo { get; init; }
    public ReviewVerdict Verdict { get; init; }

    /// <summary>The right text, where it was edited.</summary>
    public string? Text { get; init; }

    /// <summary>The answer that was looked at.</summary>
    public string? Original { get; init; }
    public required string Reviewer { get; init; }
    public long CreatedAt { get; init; }

    /// <summary>Whether it holds: the last of the item's.</summary>
    public bool Latest { get; init; }
}

/// <summary>The right answer to an item of a job that is scored.</summary>
internal sealed class ExpectedAnswerRow
{
    public long JobId { get; init; }
    public int ItemNo { get; init; }
    public required string Text { get; init; }
}

/// <summary>A claim that did not end with its chunk done, or the halving that followed.</summary>
internal sealed class AttemptRow
{
    public long JobId { get; init; }
    public int ChunkNo { get; init; }

    /// <summary>Number of the claim.</summary>
    public int Fence { get; init; }
    public AttemptEnding Ending { get; init; }
    public int Attempt { get; init; }

    /// <summary>The chunk's range at that time: halving changes it.</summary>
    public int FirstItem { get; init; }
    public int ItemCount { get; init; }
    public string? Worker { get; init; }
    public long StartedAt { get; init; }
    public long EndedAt { get; init; }
    public string? Error { get; init; }
}

/// <summary>An answer that may be given again.</summary>
internal sealed class CachedResultRow
{
    /// <summary>Hash of all the answer depends on.</summary>
    public required string Key { get; init; }

    /// <summary>The only job it may be given again in; null for any.</summary>
    public long? ScopeJobId { get; init; }

    /// <summary>The item that was answered.</summary>
    public long JobId { get; init; }
    public int ItemNo { get; init; }
    public string? Text { get; init; }
    public string? FinishReason { get; init; }
    public double? Confidence { get; init; }
    public long CreatedAt { get; init; }

    /// <summary>When it was last given again, to the hour; at first when it was made.</summary>
    public long UsedAt { get; init; }
}

/// <summary>A key of the HTTP API.</summary>
internal sealed class ApiKeyRow
{
    public required string Id { get; init; }
    public required string Name { get; init; }
    public required string Tenant { get; init; }
    public AccessRole Role { get; init; }

    /// <summary>SHA-256 of the secret, in hexadecimal.</summary>
    public required string SecretHash { get; init; }
    public long CreatedAt { get; init; }
    public long? ExpiresAt { get; init; }
    public long? RevokedAt { get; init; }
    public long? LastUsedAt { get; init; }
}

/// <summary>A consumer process and what it serves.</summary>
internal sealed class WorkerRow
{
    public required string Id { get; init; }
    public required string Host { get; init; }
    public int ProcessId { get; init; }

    /// <summary>In milliseconds, from whatever moment its machine counts; only compared with what the same machine says.</summary>
    public long ProcessStartedAt { get; init; }

    /// <summary>Models, revisions and slots as JSON.</summary>
    public required string Models { get; init; }

    /// <summary>Names of the bases that it can align, as JSON.</summary>
    public required string Bases { get; init; }
    public bool Draining { get; init; }
    public long RegisteredAt { get; init; }
    public long HeartbeatAt { get; init; }
}
