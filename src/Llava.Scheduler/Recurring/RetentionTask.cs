using Llava.Ledger.Jobs;

namespace Llava.Scheduler.Recurring;

/// <summary>Recurring task: deletes jobs that have been over for longer than they are kept.</summary>
public sealed class RetentionTask(JobRetention retention, SchedulerOptions options)
{
    /// <summary>Name under which Hangfire shows it.</summary>
    public const string Id = "ledger-retention";

    /// <summary>Runs once.</summary>
    public Task RunAsync(CancellationToken cancellation) => options.Retention > TimeSpan.Zero
        ? retention.DeleteAsync(options.Retention, cancellation)
        : Task.CompletedTask;
}
