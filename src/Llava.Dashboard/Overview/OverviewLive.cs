using Llava.Dashboard.Live;

namespace Llava.Dashboard.Overview;

/// <summary>The first page.</summary>
internal sealed class OverviewLive(OverviewReader overview, FragmentRenderer fragments) : LiveSource
{
    public override string Name => "overview";

    public override async Task<string?> RenderAsync(LiveKey key, CancellationToken cancellation) =>
        await fragments.RenderAsync("_Overview", await overview.ReadAsync(key.Tenant, cancellation));
}
