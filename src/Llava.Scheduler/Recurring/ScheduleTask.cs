using System.Globalization;
using Hangfire;
using Llava.Ledger.Schedules;

namespace Llava.Scheduler.Recurring;

/// <summary>Recurring task: submits the job of a user's schedule where its fire is due. Returns at once; it may run twice, late, or for a schedule that is gone.</summary>
public sealed class ScheduleTask(ScheduleFiring firing)
{
    /// <summary>What the names under which Hangfire shows schedules begin with.</summary>
    public const string Prefix = "schedule-";

    /// <summary>Name under which Hangfire shows a schedule.</summary>
    public static string IdOf(long schedule) => Prefix + schedule.ToString(CultureInfo.InvariantCulture);

    /// <summary>Runs once.</summary>
    /// <param name="schedule">Identity of the schedule.</param>
    /// <param name="name">Its name, for Hangfire's pages.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    [JobDisplayName("Schedule {1}")]
    public Task RunAsync(long schedule, string name, CancellationToken cancellation) => firing.SubmitDueAsync(schedule, cancellation);
}
