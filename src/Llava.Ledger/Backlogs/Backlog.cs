using Llava.Contracts.States;

namespace Llava.Ledger.Backlogs;

/// <summary>What the ledger holds at one moment.</summary>
/// <param name="Jobs">Number of jobs in each state that has any.</param>
/// <param name="Work">Work that is not done, of jobs that may run.</param>
public sealed record Backlog(IReadOnlyDictionary<JobState, long> Jobs, IReadOnlyList<PendingWork> Work);

/// <summary>Work of one model that is not done.</summary>
/// <param name="Model">The model that its jobs ask for.</param>
/// <param name="State"><see cref="ChunkState.Open"/> waits, <see cref="ChunkState.Leased"/> is in work.</param>
/// <param name="Chunks">Its chunks.</param>
/// <param name="Items">Their items.</param>
/// <param name="OldestJobAt">When the oldest of its jobs was submitted.</param>
public sealed record PendingWork(string Model, ChunkState State, long Chunks, long Items, DateTimeOffset OldestJobAt);
