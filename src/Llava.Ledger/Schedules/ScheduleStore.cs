using System.Text.Json.Nodes;
using Llava.Contracts;
using Llava.Ledger.Audit;
using Llava.Ledger.Jobs;
using Llava.Ledger.Signals;
using Llava.Ledger.Storage;
using Llava.Ledger.Training;

namespace Llava.Ledger.Schedules;

/// <summary>Keeps schedules. What it holds is the truth; whoever fires them follows it.</summary>
public sealed class ScheduleStore
{
    private readonly LedgerDatabase _database;
    private readonly ILedgerSignal _signal;
    private readonly TimeProvider _time;

    internal ScheduleStore(LedgerDatabase database, ILedgerSignal signal, TimeProvider time)
    {
        _database = database;
        _signal = signal;
        _time = time;
    }

    /// <summary>Keeps a new schedule; it fires from now on.</summary>
    /// <exception cref="InvalidScheduleException">It breaks rules; all are listed.</exception>
    /// <exception cref="ScheduleExistsException">The tenant has one of this name.</exception>
    public Task<ScheduleRecord> AddAsync(ScheduleDefinition definition, CancellationToken cancellation = default)
    {
        RequireValid(definition);
        var now = _time.GetUtcNow();
        var id = JobId.New(now).Value; // drawn like a job's
        return ChangeAsync(AuditActions.ScheduleAdded, definition.Tenant, definition.Name, now, async (session, token) =>
        {
            var isNew = await Describe(session.Statement("insert_schedule"), definition, now)
                .Set("@id", id)
                .Set("@tenant", definition.Tenant)
                .Set("@name", definition.Name)
                .ExecuteAsync(token) == 1;
            if (!isNew && !(session.IsRepeat && await FindAsync(session, id, token) is not null))
            {
                throw new ScheduleExistsException(definition.Name);
            }

            return true;
        }, cancellation);
    }

    /// <summary>
    /// Puts another definition in the place of the one with its name. Fires that the old one missed are forgotten; what its jobs
    /// have answered is not.
    /// </summary>
    /// <exception cref="InvalidScheduleException">It breaks rules; all are listed.</exception>
    /// <exception cref="ScheduleNotFoundException">There is none.</exception>
    public Task<ScheduleRecord> ReplaceAsync(ScheduleDefinition definition, CancellationToken cancellation = default)
    {
        RequireValid(definition);
        var now = _time.GetUtcNow();
        return ChangeAsync(AuditActions.ScheduleReplaced, definition.Tenant, definition.Name, now, async (session, token) =>
        {
            var schedule = await HoldAsync(session, definition.Tenant, definition.Name, token);
            return await Describe(session.Statement("replace_schedule"), definition, now).Set("@id", schedule.Id).ExecuteAsync(token) > 0;
        }, cancellation);
    }

    /// <summary>Lets a paused schedule fire again, from now on: what it missed is not made up for.</summary>
    /// <exception cref="ScheduleNotFoundException">There is none.</exception>
    public Task<ScheduleRecord> ResumeAsync(string tenant, string name, CancellationToken cancellation = default) => EnableAsync(tenant, name, true, cancellation);

    /// <summary>Keeps the schedule from firing; the job it made last goes on.</summary>
    /// <inheritdoc cref="ResumeAsync"/>
    public Task<ScheduleRecord> PauseAsync(string tenant, string name, CancellationToken cancellation = default) => EnableAsync(tenant, name, false, cancellation);

    /// <summary>
    /// Removes the schedule and what it remembers. Its jobs stay; one that has not read its source to the end is cancelled, because without
    /// the schedule it would take all of it for new.
    /// </summary>
    /// <returns>The jobs that were cancelled.</returns>
    /// <exception cref="ScheduleNotFoundException">There is none.</exception>
    public async Task<IReadOnlyList<JobId>> DeleteAsync(string tenant, string name, CancellationToken cancellation = default)
    {
        var now = _time.GetUtcNow();
        var cancelled = await _database.WriteAsync(async (session, token) =>
        {
            if (session.IsRepeat && await FindAsync(session, tenant, name, token) is null)
            {
                return [];
            }

            var schedule = await HoldAsync(session, tenant, name, token);
            List<JobId> unread = await session.Statement("list_unread_jobs_of_schedule").Set("@id", schedule.Id).ListAsync(row => new JobId(row.GetInt64(0)), token);
            foreach (var job in unread)
            {
                await JobControl.CancelAsync(session, job, now, token);
            }

            foreach (var statement in (string[])["delete_items_of_schedule", "delete_jobs_of_schedule", "delete_runs_of_schedule", "delete_schedule"])
            {
                await session.Statement(statement).Set("@id", schedule.Id).ExecuteAsync(token);
            }

            JsonObject details = new() { ["cancelled"] = new JsonArray([.. unread.Select(job => JsonValue.Create(job.ToString()))]) };
            await AuditChain.AppendAsync(session, now, AuditActions.ScheduleRemoved, tenant, TargetOf(name), details, token);
            return unread;
        }, cancellation);
        foreach (var topic in Enum.GetValues<LedgerTopic>())
        {
            _signal.Ring(topic);
        }

        return cancelled;
    }

    /// <summary>The schedule.</summary>
    /// <exception cref="ScheduleNotFoundException">There is none.</exception>
    public async Task<ScheduleRecord> ReadAsync(string tenant, string name, CancellationToken cancellation = default) =>
        await _database.ReadAsync((session, token) => FindAsync(session, tenant, name, token), cancellation) ?? throw new ScheduleNotFoundException(name);

    /// <summary>Schedules by name.</summary>
    /// <param name="tenant">Only this one's; null for all.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public Task<List<ScheduleRecord>> ListAsync(string? tenant = null, CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => session.Statement("list_schedules").Set("@tenant", tenant).ListAsync(ScheduleRecord.Read, token), cancellation);

    /// <summary>The jobs that the schedule made and that are still kept, the newest first.</summary>
    /// <param name="schedule">Its identity.</param>
    /// <param name="limit">Most jobs to return.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public Task<List<JobId>> JobsAsync(long schedule, int limit = 10, CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => session.Statement("list_jobs_of_schedule")
            .Set("@id", schedule)
            .Set("@limit", limit)
            .ListAsync(row => new JobId(row.GetInt64(0)), token), cancellation);

    /// <summary>The training runs that the schedule asked for, the newest first.</summary>
    /// <param name="schedule">Its identity.</param>
    /// <param name="limit">Most runs to return.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public Task<List<TrainingRunRecord>> RunsAsync(long schedule, int limit = 10, CancellationToken cancellation = default) => _database.ReadAsync(async (session, token) =>
    {
        List<TrainingRunRecord> runs = [];
        foreach (var (id, _) in await ScheduledRun.ListAsync(session, schedule, limit, token))
        {
            runs.AddRange(await TrainingRuns.FindAsync(session, id, token) is { } run ? [run] : []);
        }

        return runs;
    }, cancellation);

    internal static Task<ScheduleRecord?> FindAsync(LedgerSession session, long id, CancellationToken cancellation) =>
        session.Statement("read_schedule").Set("@id", id).FirstAsync(ScheduleRecord.Read, cancellation);

    internal static Task<ScheduleRecord?> FindAsync(LedgerSession session, string tenant, string name, CancellationToken cancellation) =>
        session.Statement("find_schedule").Set("@tenant", tenant).Set("@name", name).FirstAsync(ScheduleRecord.Read, cancellation);

    /// <summary>The schedule; nobody else changes or fires it until the commit.</summary>
    internal static async Task<ScheduleRecord?> HoldAsync(LedgerSession session, long id, CancellationToken cancellation)
    {
        await session.Statement("hold_schedule").Set("@id", id).ExecuteAsync(cancellation);
        return await FindAsync(session, id, cancellation);
    }

    internal static async Task<ScheduleRecord> HoldAsync(LedgerSession session, string tenant, string name, CancellationToken cancellation) =>
        await FindAsync(session, tenant, name, cancellation) is { } found && await HoldAsync(session, found.Id, cancellation) is { } held
            ? held
            : throw new ScheduleNotFoundException(name);

    private Task<ScheduleRecord> EnableAsync(string tenant, string name, bool enabled, CancellationToken cancellation)
    {
        var now = _time.GetUtcNow();
        return ChangeAsync(enabled ? AuditActions.ScheduleResumed : AuditActions.SchedulePaused, tenant, name, now, async (session, token) =>
        {
            var schedule = await HoldAsync(session, tenant, name, token);
            return schedule.IsEnabled != enabled
                && await session.Statement("enable_schedule").Set("@id", schedule.Id).Set("@enabled", enabled).Set("@now", now.ToUnixTimeMilliseconds()).ExecuteAsync(token) > 0;
        }, cancellation);
    }

    /// <summary>How the audit log names a schedule.</summary>
    internal static string TargetOf(string name) => $"schedule:{name}";

    private async Task<ScheduleRecord> ChangeAsync(
        string action, string tenant, string name, DateTimeOffset now, Func<LedgerSession, CancellationToken, Task<bool>> change, CancellationToken cancellation)
    {
        var changed = await _database.WriteAsync(async (session, token) =>
        {
            var isChanged = await change(session, token);
            var schedule = await FindAsync(session, tenant, name, token) ?? throw new ScheduleNotFoundException(name);
            if (isChanged)
            {
                JsonObject details = new() { ["cron"] = schedule.Definition.Cron, ["time_zone"] = schedule.Definition.TimeZone };
                await AuditChain.AppendAsync(session, now, action, tenant, TargetOf(name), details, token);
            }

            return schedule;
        }, cancellation);
        _signal.Ring(LedgerTopic.ScheduleChanged);
        return changed;
    }

    private static void RequireValid(ScheduleDefinition definition)
    {
        if (definition.Validate() is { Count: > 0 } findings)
        {
            throw new InvalidScheduleException(findings);
        }
    }

    private static SqlStatement Describe(SqlStatement statement, ScheduleDefinition definition, DateTimeOffset now) => statement
        .Set("@kind", definition.Kind.ToString().ToLowerInvariant())
        .Set("@cron", definition.Cron)
        .Set("@zone", definition.TimeZone)
        .Set("@request", ScheduleRecord.WriteRequest(definition))
        .Set("@only_new", definition.OnlyNew)
        .Set("@overlap", definition.Overlap.ToString().ToLowerInvariant())
        .Set("@now", now.ToUnixTimeMilliseconds());
}
