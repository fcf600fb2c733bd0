using System.Globalization;
using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Ledger.Audit;
using Llava.Ledger.Jobs;
using Llava.Ledger.Signals;
using Llava.Ledger.Storage;
using Microsoft.Extensions.Logging;

namespace Llava.Ledger.Schedules;

/// <summary>
/// Turns a fire into a job or a training run. Which fire is due follows from the schedule alone, and the job and the note that the fire is dealt with
/// are one transaction: it may be asked for by several processes, again, or late, and makes one job; killed before the commit, none.
/// </summary>
public sealed partial class ScheduleFiring
{
    private readonly LedgerDatabase _database;
    private readonly ILedgerSignal _signal;
    private readonly TimeProvider _time;
    private readonly ILogger<ScheduleFiring> _logger;

    internal ScheduleFiring(LedgerDatabase database, ILedgerSignal signal, TimeProvider time, ILogger<ScheduleFiring> logger)
    {
        _database = database;
        _signal = signal;
        _time = time;
        _logger = logger;
    }

    /// <summary>Submits the job of the fire that is due; of several that were missed, the latest stands for all.</summary>
    /// <param name="schedule">Identity of the schedule.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public async Task<ScheduleFire> SubmitDueAsync(long schedule, CancellationToken cancellation = default)
    {
        var now = _time.GetUtcNow();
        var fire = await _database.WriteAsync(async (session, token) =>
        {
            if (await ScheduleStore.HoldAsync(session, schedule, token) is not { } record)
            {
                return new ScheduleFire(ScheduleOutcome.Removed);
            }

            new Actor(ScheduleStore.TargetOf(record.Definition.Name)).Act();
            return record.DueAt(now) is { } due ? await RunAsync(session, record, due, now, due, token) : new ScheduleFire(ScheduleOutcome.NotDue);
        }, cancellation);
        return Tell(schedule, fire);
    }

    /// <summary>Submits a job now, whenever the schedule would fire and also while it is paused.</summary>
    /// <exception cref="ScheduleNotFoundException">There is no such schedule.</exception>
    public async Task<ScheduleFire> RunAsync(string tenant, string name, CancellationToken cancellation = default)
    {
        var now = DateTimeOffset.FromUnixTimeMilliseconds(_time.GetUtcNow().ToUnixTimeMilliseconds());
        var (schedule, fire) = await _database.WriteAsync(async (session, token) =>
        {
            var record = await ScheduleStore.HoldAsync(session, tenant, name, token);
            if (session.IsRepeat && record.LastRunAt == now && record.LastError is null)
            {
                return (record.Id, new ScheduleFire(ScheduleOutcome.Submitted, record.LastJob) { Run = (await ScheduledRun.ListAsync(session, record.Id, 1, token)).FirstOrDefault()?.Run });
            }

            var made = await RunAsync(session, record, now, now, record.SettledUntil, token);
            await AuditChain.AppendAsync(session, now, AuditActions.ScheduleRun, tenant, ScheduleStore.TargetOf(name), new() { ["job"] = made.Made }, token);
            return (record.Id, made);
        }, cancellation);
        return Tell(schedule, fire);
    }

    private static async Task<ScheduleFire> RunAsync(LedgerSession session, ScheduleRecord record, DateTimeOffset fire, DateTimeOffset now, DateTimeOffset settled, CancellationToken cancellation)
    {
        var outcome = record.Definition.Request is { } request
            ? await SubmitAsync(session, record, request with { IdempotencyKey = KeyOf(record.Id, fire) }, now, cancellation)
            : await ScheduledRun.SubmitAsync(session, record, now, cancellation);
        await session.Statement("settle_schedule")
            .Set("@id", record.Id)
            .Set("@until", settled.ToUnixTimeMilliseconds())
            .Set("@now", now.ToUnixTimeMilliseconds())
            .Set("@job", outcome.Outcome == ScheduleOutcome.Submitted ? outcome.Job?.Value : null)
            .Set("@error", outcome.Reason)
            .ExecuteAsync(cancellation);
        return outcome;
    }

    private static async Task<ScheduleFire> SubmitAsync(LedgerSession session, ScheduleRecord record, JobRequest request, DateTimeOffset now, CancellationToken cancellation)
    {
        if (record is { Definition.Overlap: ScheduleOverlap.Skip, LastJob: { } last }
            && await JobReader.FindAsync(session, last, cancellation) is { } before && !before.State.IsFinal())
        {
            return new(ScheduleOutcome.Skipped, last, $"Left out: the job before, '{last}', is {before.State.WireName()}.");
        }

        if (request.Validate() is { Count: > 0 } findings)
        {
            // Kept by a version with other rules.
            return new(ScheduleOutcome.Refused, null, new InvalidJobRequestException(findings).Message);
        }

        SubmittedJob submitted;
        try
        {
            submitted = await JobSubmission.SubmitAsync(session, JobId.New(now), request, trace: null, now, cancellation);
        }
        catch (InvalidJobRequestException refused)
        {
            return new(ScheduleOutcome.Refused, null, refused.Message);
        }

        await session.Statement("insert_job_of_schedule")
            .Set("@job", submitted.Id.Value)
            .Set("@schedule", record.Id)
            .Set("@only_new", record.Definition.OnlyNew)
            .ExecuteAsync(cancellation);
        return new(ScheduleOutcome.Submitted, submitted.Id);
    }

    private static string KeyOf(long schedule, DateTimeOffset fire) =>
        string.Create(CultureInfo.InvariantCulture, $"schedule:{schedule}:{fire.UtcDateTime:yyyy-MM-ddTHH:mm:ss.fffZ}");

    private ScheduleFire Tell(long schedule, ScheduleFire fire)
    {
        switch (fire.Outcome)
        {
            case ScheduleOutcome.Submitted:
                Fired(schedule, fire.Made!);
                _signal.Ring(fire.Run is null ? LedgerTopic.JobSubmitted : LedgerTopic.TrainingChanged);
                break;
            case ScheduleOutcome.Skipped or ScheduleOutcome.Refused:
                FiredInVain(schedule, fire.Reason!);
                break;
        }

        return fire;
    }

    [LoggerMessage(2040, LogLevel.Information, "Schedule {Schedule} made {Made}")]
    private partial void Fired(long schedule, string made);

    [LoggerMessage(2041, LogLevel.Warning, "Schedule {Schedule} made nothing. {Reason}")]
    private partial void FiredInVain(long schedule, string reason);
}

/// <summary>What became of a fire.</summary>
/// <param name="Outcome">Whether it made something.</param>
/// <param name="Job">The job it made, or the one it was skipped for.</param>
/// <param name="Reason">Why it made nothing although it was due.</param>
public sealed record ScheduleFire(ScheduleOutcome Outcome, JobId? Job = null, string? Reason = null)
{
    /// <summary>The training run it made, or the one it was skipped for.</summary>
    public string? Run { get; init; }

    /// <summary>Id of the job or the run; null where it made neither.</summary>
    public string? Made => Run ?? Job?.ToString();
}

/// <summary>What may become of a fire.</summary>
public enum ScheduleOutcome
{
    /// <summary>A job or a training run was submitted.</summary>
    Submitted,

    /// <summary>The job or run before is not over, or there is nothing new to learn from.</summary>
    Skipped,

    /// <summary>The request breaks a rule, or there is nothing to learn from at all.</summary>
    Refused,

    /// <summary>Nothing is to be done now: it was early, or another process was first.</summary>
    NotDue,

    /// <summary>There is no such schedule any more.</summary>
    Removed,
}
