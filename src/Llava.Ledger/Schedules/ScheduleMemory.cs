using Llava.Contracts;
using Llava.Ledger.Storage;

namespace Llava.Ledger.Schedules;

/// <summary>
/// What the jobs of a schedule have been asked. Nothing is written when an answer comes: a key leads to the item it was last
/// asked as, and whether that was answered is what its result says. So what failed, or was cancelled halfway, is new again.
/// </summary>
public sealed class ScheduleMemory
{
    private readonly LedgerDatabase _database;

    internal ScheduleMemory(LedgerDatabase database) => _database = database;

    /// <summary>The schedule that made the job; null when none did, or it was removed.</summary>
    public Task<ScheduleOrigin?> OriginAsync(JobId job, CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => OriginAsync(session, job, token), cancellation);

    /// <summary>
    /// Of these keys, those that are not new to the schedule that made the job: answered by another of its jobs, or being asked by one
    /// that is not over.
    /// </summary>
    public Task<IReadOnlySet<long>> KnownAsync(JobId job, IReadOnlyList<long> keys, CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => _database.ListKnownAsync(session, job, keys, token), cancellation);

    internal static Task<ScheduleOrigin?> OriginAsync(LedgerSession session, JobId job, CancellationToken cancellation) =>
        session.Statement("find_schedule_of_job").Set("@job", job.Value).FirstAsync(row => new ScheduleOrigin(row.GetInt64(0), row.GetBoolean(1)), cancellation);
}

/// <summary>Where a job comes from.</summary>
/// <param name="Schedule">Identity of the schedule.</param>
/// <param name="OnlyNew">Whether the job is asked about what is new only.</param>
public sealed record ScheduleOrigin(long Schedule, bool OnlyNew);
