using Llava.Contracts;
using Llava.Dashboard.Live;
using Llava.Ledger.Jobs;
using Llava.Ledger.Reviews;

namespace Llava.Dashboard.Jobs;

/// <summary>The line above a gallery: how far the job and its review are.</summary>
internal sealed class ProgressLive(JobReader jobs, ReviewStore reviews, FragmentRenderer fragments) : LiveSource
{
    public override string Name => "progress";

    public override async Task<string?> RenderAsync(LiveKey key, CancellationToken cancellation) =>
        JobId.TryParse(key.Argument, null, out var job) && await jobs.FindAsync(job, cancellation) is { } record && (key.Tenant is null || key.Tenant == record.Request.Tenant)
            ? await fragments.RenderAsync("_Progress", await ReviewProgress.ReadAsync(jobs, reviews, record, cancellation))
            : null;
}

/// <summary>How far a job and its review are.</summary>
/// <param name="View">The job.</param>
/// <param name="Reviews">What people said of its answers.</param>
public sealed record ReviewProgress(JobView View, ReviewCounts Reviews)
{
    /// <summary>Reads it.</summary>
    public static async Task<ReviewProgress> ReadAsync(JobReader jobs, ReviewStore reviews, JobRecord job, CancellationToken cancellation) =>
        new(new(job, job.FinalProgress ?? await jobs.ProgressAsync(job.Id, cancellation)), await reviews.CountsAsync(job.Id, cancellation));
}
