using Llava.Contracts.States;
using Llava.Dashboard.Alarms;
using Llava.Dashboard.Elements;
using Llava.Dashboard.Jobs;
using Llava.Dashboard.Models;
using Llava.Ledger.Jobs;
using Llava.Ledger.Training;
using Llava.Ledger.Workers;

namespace Llava.Dashboard.Overview;

/// <summary>Reads what the first page shows.</summary>
internal sealed class OverviewReader(SystemWatch watch, JobReader jobs, WorkerRegistry workers, TrainedModelOwners owners, RecentWork recent)
{
    private const int MostJobs = 8;

    private static readonly TimeSeries Nothing = new([], [new("items/s", []), new("tokens/s", [])]);

    /// <summary>As it is for this tenant, or for all.</summary>
    public async Task<OverviewState> ReadAsync(string? tenant, CancellationToken cancellation)
    {
        var system = await watch.LookAsync(cancellation);
        List<JobView> running = [];
        foreach (var state in system.HasLedger ? new[] { JobState.Running, JobState.Validating, JobState.Queued, JobState.Paused } : [])
        {
            foreach (var job in await jobs.ListAsync(new() { Tenant = tenant, State = state, Limit = MostJobs - running.Count }, cancellation))
            {
                running.Add(new(job, await jobs.ProgressAsync(job.Id, cancellation)));
            }
        }

        return new(
            system,
            running,
            [.. (system.HasLedger ? await owners.ConfineAsync(system.Workers, tenant, cancellation) : []).Select(worker => new ConsumerView(worker, worker.HeartbeatAt >= system.At - workers.Expiry))],
            system.HasLedger ? await recent.SeriesAsync(tenant, cancellation) : Nothing,
            system.HasLedger ? await recent.RunningAsync(tenant, cancellation) : 0);
    }
}
