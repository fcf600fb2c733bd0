namespace Llava.Contracts.Messages;

/// <summary>More items of a running job are done. Published every few seconds while that is so, never more often; one may be missing or come twice.</summary>
/// <param name="JobId">The job.</param>
/// <param name="Succeeded">Items with an answer so far.</param>
/// <param name="Failed">Items that could not be answered so far.</param>
/// <param name="Total">All items of the job.</param>
public sealed record JobProgressed(JobId JobId, long Succeeded, long Failed, long Total);
