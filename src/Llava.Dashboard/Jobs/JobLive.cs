using Llava.Contracts;
using Llava.Dashboard.Live;

namespace Llava.Dashboard.Jobs;

/// <summary>The page of one job.</summary>
internal sealed class JobLive(JobDetailsReader details, FragmentRenderer fragments) : LiveSource
{
    public override string Name => "job";

    public override async Task<string?> RenderAsync(LiveKey key, CancellationToken cancellation) =>
        JobId.TryParse(key.Argument, null, out var job) && await details.ReadAsync(job, key.Tenant, cancellation) is { } read ? await fragments.RenderAsync("_Job", read) : null;
}
