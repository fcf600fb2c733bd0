using Llava.Dashboard.Jobs;
using Llava.Ledger.Jobs;
using Llava.Ledger.Schedules;
using Llava.Ledger.Training;

namespace Llava.Dashboard.Schedules;

/// <summary>A schedule with its last jobs or runs, as pages show it.</summary>
/// <param name="Schedule">The schedule.</param>
/// <param name="Jobs">Its last jobs that are still kept, the newest first.</param>
/// <param name="Runs">Its last training runs, the newest first.</param>
public sealed record ScheduleView(ScheduleRecord Schedule, IReadOnlyList<JobView> Jobs, IReadOnlyList<TrainingRunRecord> Runs)
{
    /// <summary>Its name.</summary>
    public string Name => Schedule.Definition.Name;

    /// <summary>What it does, in a word.</summary>
    public string Kind => Schedule.Definition.Kind.ToString().ToLowerInvariant();

    /// <summary>In a word.</summary>
    public string State => Schedule.IsEnabled ? "active" : "paused";

    /// <summary>Where it is shown.</summary>
    public string Link => $"/schedules/show?name={Uri.EscapeDataString(Name)}&tenant={Uri.EscapeDataString(Schedule.Definition.Tenant)}";

    /// <summary>When it fires next; null while it is paused, and where it never will again.</summary>
    public DateTimeOffset? NextAt(DateTimeOffset now) => Schedule.IsEnabled ? Schedule.Cadence.Next(now) : null;

    /// <summary>Reads the last jobs and runs of a schedule.</summary>
    public static async Task<ScheduleView> ReadAsync(ScheduleStore schedules, JobReader jobs, ScheduleRecord schedule, int limit, CancellationToken cancellation)
    {
        List<JobView> last = [];
        foreach (var id in await schedules.JobsAsync(schedule.Id, limit, cancellation))
        {
            // One that retention deletes at this moment is left out.
            if (await jobs.FindAsync(id, cancellation) is { } job)
            {
                last.Add(new(job, job.FinalProgress ?? await jobs.ProgressAsync(id, cancellation)));
            }
        }

        return new(schedule, last, await schedules.RunsAsync(schedule.Id, limit, cancellation));
    }
}
