using Llava.Contracts.States;
using Llava.Dashboard.Alarms;
using Llava.Dashboard.Jobs;
using Llava.Ledger.Workers;

namespace Llava.Dashboard.Overview;

/// <summary>What the first page shows.</summary>
/// <param name="System">Broker, ledger, consumers and backlog.</param>
/// <param name="Running">Jobs that are at work or wait for it, the newest first.</param>
/// <param name="Live">Consumers that live.</param>
public sealed record OverviewState(SystemState System, IReadOnlyList<JobView> Running, IReadOnlyList<WorkerRecord> Live)
{
    /// <summary>Items that wait to be handed out.</summary>
    public long Waiting => System.Backlog?.Work.Where(work => work.State == ChunkState.Open).Sum(work => work.Items) ?? 0;

    /// <summary>Items that a consumer has.</summary>
    public long InWork => System.Backlog?.Work.Where(work => work.State == ChunkState.Leased).Sum(work => work.Items) ?? 0;

    /// <summary>Sequences that the live consumers can run at a time.</summary>
    public int Slots => Live.Sum(worker => worker.Models.Sum(model => model.Slots));
}
