using Llava.Dashboard.Live;
using Llava.Ledger.Jobs;

namespace Llava.Dashboard.Jobs;

/// <summary>The rows of the page of jobs, one topic per query.</summary>
internal sealed class JobsLive(JobReader jobs, FragmentRenderer fragments) : LiveSource
{
    public override string Name => "jobs";

    public override async Task<string?> RenderAsync(LiveKey key, CancellationToken cancellation) =>
        await fragments.RenderAsync("_JobRows", await JobList.ReadAsync(jobs, JobsQuery.Parse(key.Argument), key.Tenant, cancellation));
}
