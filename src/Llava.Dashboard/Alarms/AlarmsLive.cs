using Llava.Dashboard.Live;
using Llava.Ledger.Workers;

namespace Llava.Dashboard.Alarms;

/// <summary>The banners above every page.</summary>
internal sealed class AlarmsLive(SystemWatch watch, WorkerRegistry workers, FragmentRenderer fragments) : LiveSource
{
    public override string Name => "alarms";

    public override async Task<string?> RenderAsync(LiveKey key, CancellationToken cancellation) =>
        await fragments.RenderAsync("_Alarms", AlarmRules.Of(await watch.LookAsync(cancellation), workers.Expiry));
}
