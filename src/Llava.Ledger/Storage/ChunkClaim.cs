using Llava.Contracts;
using Llava.Contracts.States;
using Llava.Ledger.Chunks;

namespace Llava.Ledger.Storage;

/// <summary>A wish for a chunk.</summary>
/// <param name="Job">The job.</param>
/// <param name="ChunkNo">The chunk.</param>
/// <param name="Attempt">Lost attempts that the claimer knows of.</param>
/// <param name="Owner">The worker.</param>
internal sealed record ChunkClaim(JobId Job, int ChunkNo, int Attempt, string Owner);

/// <summary>A wish that was granted.</summary>
/// <param name="Lease">The lease.</param>
/// <param name="JobState">Its job's state at that moment.</param>
internal sealed record GrantedClaim(ChunkLease Lease, JobState JobState);

/// <summary>Consecutive items of a job.</summary>
/// <param name="Job">The job.</param>
/// <param name="First">Number of the first.</param>
/// <param name="Count">How many.</param>
internal readonly record struct ItemRange(JobId Job, int First, int Count)
{
    /// <summary>Number after the last.</summary>
    public int End => First + Count;
}
