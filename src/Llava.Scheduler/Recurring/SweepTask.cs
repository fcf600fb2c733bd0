using Llava.Ledger.Chunks;

namespace Llava.Scheduler.Recurring;

/// <summary>Recurring task: looks for lost leases and messages, for installations that want it on Hangfire's page and clock.</summary>
public sealed class SweepTask(LeaseSweep sweep)
{
    /// <summary>Name under which Hangfire shows it.</summary>
    public const string Id = "ledger-sweep";

    /// <summary>Runs once.</summary>
    public Task RunAsync(CancellationToken cancellation) => sweep.SweepAsync(cancellation);
}
