using Llava.Contracts.States;
using Llava.Dashboard.Alarms;
using Llava.Dashboard.Elements;
using Llava.Dashboard.Jobs;
using Llava.Ledger.Workers;

namespace Llava.Dashboard.Overview;

/// <summary>What the first page shows.</summary>
/// <param name="System">Broker, ledger, consumers and backlog.</param>
/// <param name="Running">Jobs that are at work or wait for it, the newest first.</param>
/// <param name="Consumers">Consumers that did not say goodbye, and whether each lives.</param>
/// <param name="Throughput">Items and tokens per second of the last half hour.</param>
/// <param name="InSlots">Sequences that ran at once over the last minute, on the mean.</param>
public sealed record OverviewState(SystemState System, IReadOnlyList<JobView> Running, IReadOnlyList<ConsumerView> Consumers, TimeSeries Throughput, double InSlots)
{
    /// <summary>Items per second of the last minute.</summary>
    public double ItemsPerSecond => LastMinute(0);

    /// <summary>Tokens per second of the last minute.</summary>
    public double TokensPerSecond => LastMinute(1);

    /// <summary>Share of the slots that was in use over the last minute, 0 to 1.</summary>
    public double BatchFill => Slots == 0 ? 0 : Math.Min(1, InSlots / Slots);

    /// <summary>Items that wait to be handed out.</summary>
    public long Waiting => System.Backlog?.Work.Where(work => work.State == ChunkState.Open).Sum(work => work.Items) ?? 0;

    /// <summary>Items that a consumer has.</summary>
    public long InWork => System.Backlog?.Work.Where(work => work.State == ChunkState.Leased).Sum(work => work.Items) ?? 0;

    /// <summary>Sequences that the live consumers can run at a time.</summary>
    public int Slots => Consumers.Where(consumer => consumer.IsLive).Sum(consumer => consumer.Worker.Models.Sum(model => model.Slots));

    private double LastMinute(int line) => Throughput.Lines[line].Values.TakeLast(6).Average() ?? 0;
}

/// <summary>A consumer as the pages show it.</summary>
/// <param name="Worker">What it said last.</param>
/// <param name="IsLive">Whether it said so recently enough.</param>
public sealed record ConsumerView(WorkerRecord Worker, bool IsLive)
{
    /// <summary>How it is, in a word.</summary>
    public string State => !IsLive ? "silent" : Worker.Draining ? "draining" : "live";
}
