namespace Llava.Ledger.Results;

/// <summary>An item with its result, as readers see them.</summary>
public sealed record ItemResult
{
    /// <summary>The item within the job, counted from 0.</summary>
    public required int ItemNo { get; init; }

    /// <summary>The caller's name for the item.</summary>
    public required string CustomId { get; init; }

    /// <summary>Where its images are.</summary>
    public required IReadOnlyList<string> Images { get; init; }

    /// <summary>Its own prompt; null when the job's was used.</summary>
    public string? Prompt { get; init; }

    /// <summary>A label that evaluation groups by.</summary>
    public string? Category { get; init; }

    /// <summary>The model that it asked instead of the job's; null when it asked the job's.</summary>
    public string? Model { get; init; }

    /// <summary>What became of it.</summary>
    public required FinishedItem Result { get; init; }

    /// <summary>The worker that answered.</summary>
    public string? Worker { get; init; }

    /// <summary>Revision of the model that answered.</summary>
    public string? ModelRevision { get; init; }

    /// <summary>Attempts its chunk took.</summary>
    public int Attempts { get; init; }

    /// <summary>When its chunk was put on the queue; null for an item that never was.</summary>
    public DateTimeOffset? QueuedAt { get; init; }

    /// <summary>When a worker claimed its chunk; null for an item that never was.</summary>
    public DateTimeOffset? ClaimedAt { get; init; }

    /// <summary>When it was recorded.</summary>
    public DateTimeOffset FinishedAt { get; init; }

    /// <summary>When it went through each step; null for an item that was never claimed.</summary>
    public ItemTimeline? Timeline => ClaimedAt is { } claimed ? new(QueuedAt ?? claimed, claimed, Result.Timings, FinishedAt) : null;
}
