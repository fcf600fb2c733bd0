using Llava.Ledger.Jobs;

namespace Llava.Dashboard.Jobs;

/// <summary>A page of jobs with their progress.</summary>
/// <param name="Query">What was asked for.</param>
/// <param name="Jobs">The jobs, the newest first.</param>
/// <param name="Next">The query of the page after; null on the last.</param>
public sealed record JobList(JobsQuery Query, IReadOnlyList<JobView> Jobs, JobsQuery? Next)
{
    /// <summary>Reads the page.</summary>
    /// <param name="jobs">The ledger's jobs.</param>
    /// <param name="query">What is asked for.</param>
    /// <param name="confinement">The tenant that the reader is confined to.</param>
    /// <param name="cancellation">Gives up.</param>
    public static async Task<JobList> ReadAsync(JobReader jobs, JobsQuery query, string? confinement, CancellationToken cancellation)
    {
        var filter = query.Filter(confinement);
        var records = await jobs.ListAsync(filter with { Limit = filter.Limit + 1 }, cancellation); // one more tells whether there is another page
        List<JobView> views = [];
        foreach (var record in records.Take(filter.Limit))
        {
            views.Add(new(record, record.FinalProgress ?? await jobs.ProgressAsync(record.Id, cancellation)));
        }

        return new(query, views, records.Count > filter.Limit ? query with { Before = views[^1].Job.Id.ToString() } : null);
    }
}
