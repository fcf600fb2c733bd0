using Llava.Ledger.Backlogs;
using Llava.Ledger.Workers;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Llava.Scheduler.Telemetry;

/// <summary>Counts every few seconds what the ledger holds: a collector that asks must not wait for the database, nor load it as often as it likes.</summary>
internal sealed partial class BacklogSampler(BacklogReader backlog, WorkerRegistry workers, SchedulerMetrics metrics, SchedulerOptions options, TimeProvider time, ILogger<BacklogSampler> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using PeriodicTimer timer = new(options.Sample, time);
        do
        {
            try
            {
                if (metrics.WantsBacklog)
                {
                    metrics.Observe(await backlog.ReadAsync(stoppingToken), await workers.LiveAsync(stoppingToken));
                }
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                SampleFailed(failure);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(4060, LogLevel.Warning, "What waits could not be counted; metrics show what was seen last")]
    private partial void SampleFailed(Exception failure);
}
