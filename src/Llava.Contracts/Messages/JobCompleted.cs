using Llava.Contracts.States;

namespace Llava.Contracts.Messages;

/// <summary>A job is over. Published at least once.</summary>
/// <param name="JobId">The job.</param>
/// <param name="State">The final state.</param>
/// <param name="Succeeded">Items with an answer.</param>
/// <param name="Failed">Items that could not be answered.</param>
/// <param name="Total">All items of the job.</param>
public sealed record JobCompleted(JobId JobId, JobState State, long Succeeded, long Failed, long Total);
