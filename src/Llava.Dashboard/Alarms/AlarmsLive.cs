using Llava.Dashboard.Live;
using Llava.Dashboard.Overview;
using Llava.Ledger.Workers;

namespace Llava.Dashboard.Alarms;

/// <summary>The banners above every page.</summary>
internal sealed class AlarmsLive(SystemWatch watch, RecentWork recent, WorkerRegistry workers, FragmentRenderer fragments) : LiveSource
{
    public override string Name => "alarms";

    public override async Task<string?> RenderAsync(LiveKey key, CancellationToken cancellation)
    {
        var state = await watch.LookAsync(cancellation);
        var counts = state.HasLedger ? await recent.OutcomesAsync(TimeSpan.FromMinutes(5), key.Tenant, cancellation) : default;
        return await fragments.RenderAsync("_Alarms", AlarmRules.Of(state, workers.Expiry, counts));
    }
}
