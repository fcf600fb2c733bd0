using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Contracts.States;

namespace Llava.Ledger.Chunks;

/// <summary>A claim on a chunk for a limited time. Owner and fence together prove it: a lease that was lost writes nothing.</summary>
/// <param name="Job">The job.</param>
/// <param name="ChunkNo">The chunk within the job.</param>
/// <param name="FirstItem">Its first item.</param>
/// <param name="ItemCount">How many items follow each other in it.</param>
/// <param name="Attempt">Which attempt this is, counted from 1.</param>
/// <param name="Fence">Number of the claim; never the same twice for one chunk.</param>
/// <param name="Owner">The worker.</param>
/// <param name="QueuedAt">When its message was published.</param>
/// <param name="ClaimedAt">When the worker claimed it.</param>
public sealed record ChunkLease(JobId Job, int ChunkNo, int FirstItem, int ItemCount, int Attempt, int Fence, string Owner, DateTimeOffset QueuedAt, DateTimeOffset ClaimedAt)
{
    /// <summary>The model that its items ask instead of the job's; null when they ask the job's.</summary>
    public string? Model { get; init; }

    /// <summary>The attempt that ends now.</summary>
    internal ChunkAttempt Ended(AttemptEnding ending, DateTimeOffset now, string? error) =>
        new(Job, ChunkNo, Fence, ending, Attempt, FirstItem, ItemCount, Owner, ClaimedAt, now, error);
}

/// <summary>What a claim gives: the lease, and the items that have no result yet, in order.</summary>
/// <param name="Lease">The lease.</param>
/// <param name="Items">What is left to do.</param>
public sealed record ClaimedChunk(ChunkLease Lease, IReadOnlyList<ClaimedItem> Items);

/// <summary>An item of a claimed chunk that has no result yet.</summary>
/// <param name="ItemNo">The item within the job.</param>
/// <param name="CustomId">The caller's name for it.</param>
/// <param name="Images">Where its images are.</param>
/// <param name="Prompt">Its own prompt; null takes the job's.</param>
/// <param name="Category">A label that evaluation groups by.</param>
/// <param name="Chat">What it asks for beyond one question with the job's settings; null for nothing.</param>
public sealed record ClaimedItem(int ItemNo, string CustomId, IReadOnlyList<string> Images, string? Prompt, string? Category, ItemChat? Chat = null);

/// <summary>What a renewal learned about a lease.</summary>
public enum LeaseStanding
{
    /// <summary>It was extended; go on.</summary>
    Held,

    /// <summary>Another holds the chunk, or it is done: what is still being made will be refused.</summary>
    Lost,

    /// <summary>The job was paused, cancelled or ended: put the work down.</summary>
    Stopped,
}
