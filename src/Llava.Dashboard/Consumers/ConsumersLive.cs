using Llava.Dashboard.Live;
using Llava.Ledger.Training;
using Llava.Ledger.Workers;

namespace Llava.Dashboard.Consumers;

/// <summary>The consumers, for whoever looks at them.</summary>
internal sealed class ConsumersLive(WorkerRegistry workers, TrainedModelOwners owners, FragmentRenderer renderer, TimeProvider time) : LiveSource
{
    /// <inheritdoc/>
    public override string Name => "consumers";

    /// <inheritdoc/>
    public override async Task<string?> RenderAsync(LiveKey key, CancellationToken cancellation) =>
        await renderer.RenderAsync("_Consumers", await ConsumersState.ReadAsync(workers, owners, time, key.Tenant, cancellation));
}
