using Llava.Ledger.Jobs;
using Llava.Ledger.Schedules;
using Llava.Ledger.Training;

namespace Llava.Cli.Schedules;

/// <summary>A schedule as commands show it.</summary>
/// <param name="Schedule">The schedule.</param>
/// <param name="Jobs">Its last jobs, the newest first.</param>
/// <param name="Runs">Its last training runs, the newest first.</param>
internal sealed record ScheduleView(ScheduleRecord Schedule, IReadOnlyList<ScheduledJob> Jobs, IReadOnlyList<TrainingRunRecord> Runs);

/// <summary>A job that a schedule made.</summary>
/// <param name="Job">The job.</param>
/// <param name="Progress">Its counts.</param>
internal sealed record ScheduledJob(JobRecord Job, JobProgress Progress);
