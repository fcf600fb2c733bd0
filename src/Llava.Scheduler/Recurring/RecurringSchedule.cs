using Hangfire;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Llava.Scheduler.Recurring;

/// <summary>
/// Tells Hangfire which tasks recur. Until it knows, the process works without: its store may be away, or a process that
/// was killed may still hold the lock.
/// </summary>
internal sealed partial class RecurringSchedule(IRecurringJobManager recurring, TimeProvider time, ILogger<RecurringSchedule> logger) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);
    private static readonly RecurringJobOptions Utc = new() { TimeZone = TimeZoneInfo.Utc };

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!await Task.Run(TryAdd, stoppingToken))
        {
            await Task.Delay(Pause, time, stoppingToken);
        }
    }

    private bool TryAdd()
    {
        try
        {
            recurring.AddOrUpdate<SweepTask>(SweepTask.Id, task => task.RunAsync(CancellationToken.None), Cron.Minutely(), Utc);
            recurring.AddOrUpdate<RetentionTask>(RetentionTask.Id, task => task.RunAsync(CancellationToken.None), Cron.Daily(3), Utc);
            return true;
        }
        catch (Exception failure)
        {
            NotAdded(Pause, failure);
            return false;
        }
    }

    [LoggerMessage(4050, LogLevel.Warning, "Hangfire did not take the recurring tasks; trying again in {Pause}")]
    private partial void NotAdded(TimeSpan pause, Exception failure);
}
