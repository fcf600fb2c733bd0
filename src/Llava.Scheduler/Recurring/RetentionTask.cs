using Llava.Ledger.Jobs;
using Llava.Ledger.Results;

namespace Llava.Scheduler.Recurring;

/// <summary>Recurring task: deletes jobs that have been over for longer than they are kept, and answers that nobody asked for again.</summary>
public sealed class RetentionTask(JobRetention retention, ResultCache cache, SchedulerOptions options)
{
    /// <summary>Name under which Hangfire shows it.</summary>
    public const string Id = "ledger-retention";

    /// <summary>Runs once.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        if (options.Retention > TimeSpan.Zero)
        {
            await retention.DeleteAsync(options.Retention, cancellation);
        }

        await cache.TrimAsync(options.CacheRetention, options.CacheRows, cancellation);
    }
}
