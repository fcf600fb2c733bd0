using System.Text.Json;
using Llava.Contracts;
using Llava.Contracts.States;
using Llava.Ledger.Chunks;
using Llava.Ledger.Signals;
using Llava.Ledger.Storage;
using Llava.Ledger.Telemetry;
using Llava.Ledger.Webhooks;
using Microsoft.Extensions.Logging;

namespace Llava.Ledger.Jobs;

/// <summary>Brings jobs to their end: all items answered, cancelled, or out of time.</summary>
public sealed partial class JobEnding
{
    private readonly LedgerDatabase _database;
    private readonly ILedgerSignal _signal;
    private readonly LedgerMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger<JobEnding> _logger;

    internal JobEnding(LedgerDatabase database, ILedgerSignal signal, LedgerMetrics metrics, TimeProvider time, ILogger<JobEnding> logger)
    {
        _database = database;
        _signal = signal;
        _metrics = metrics;
        _time = time;
        _logger = logger;
    }

    /// <summary>Moves every job that has nothing left to do, or no time, one step on.</summary>
    /// <returns>How many were moved.</returns>
    public async Task<int> AdvanceAsync(CancellationToken cancellation = default)
    {
        var now = _time.GetUtcNow();
        var ended = await _database.ReadAsync((session, token) => ListEndedAsync(session, now, token), cancellation);
        if (ended.Count == 0)
        {
            return 0;
        }

        List<(ItemOutcome Outcome, int Items)> closed = [];
        await _database.WriteAloneAsync(LedgerTurn.End, async (session, token) =>
        {
            // Asked again inside the transaction: a job may have been paused, or a chunk come back, since.
            ended = await ListEndedAsync(session, now, token);
            closed.Clear();
            foreach (var job in ended)
            {
                await AdvanceAsync(session, job, now, closed, token);
            }

            return ended.Count;
        }, cancellation);
        closed.ForEach(job => _metrics.ItemsFinished(job.Items, job.Outcome));
        _signal.Ring(LedgerTopic.WorkFinished);
        _signal.Ring(LedgerTopic.JobControlled);
        return ended.Count;
    }

    /// <summary>Jobs whose end was not announced yet, with their counts.</summary>
    public Task<List<EndedJob>> UnannouncedAsync(CancellationToken cancellation = default) => _database.ReadAsync(async (session, token) =>
    {
        var jobs = await session.Statement("list_unannounced_jobs").ListAsync(JobRecord.Read, token);
        List<EndedJob> ended = [];
        foreach (var job in jobs)
        {
            ended.Add(new(job, await JobReader.CountAsync(session, job, token)));
        }

        return ended;
    }, cancellation);

    /// <summary>Announces the job's end and closes its counts; a job that was finalizing is now completed. A crash at any moment announces twice, never not at all.</summary>
    /// <param name="ended">The job and its counts.</param>
    /// <param name="publish">Announces it, inside the transaction that notes it; run again when the database must be tried again.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    /// <returns>False when another process has announced it, or the job has been opened again.</returns>
    public async Task<bool> AnnounceAsync(EndedJob ended, Func<CancellationToken, Task> publish, CancellationToken cancellation = default)
    {
        var now = _time.GetUtcNow();
        var isMine = await _database.WriteAsync(async (session, token) =>
        {
            var isFirst = await session.Statement("announce_job")
                .Set("@job", ended.Job.Id.Value)
                .Set("@state", ended.Job.State.WireName())
                .Set("@finished", ended.Job.FinishedAt?.ToUnixTimeMilliseconds() ?? 0)
                .Set("@now", now.ToUnixTimeMilliseconds())
                .Set("@progress", JsonSerializer.Serialize(ended.Progress, LedgerJson.Default.JobProgress))
                .ExecuteAsync(token) == 1;
            if (isFirst && ended.Job.State == JobState.Finalizing)
            {
                await JobTransitions.MoveAsync(session, ended.Job.Id, JobState.Finalizing, JobState.Completed, now, null, token);
            }

            if (isFirst)
            {
                await WebhookEvent.OfJob(ended, now).AddAsync(session, ended.Job.Request.Tenant, token);
                await publish(token);
            }

            return isFirst;
        }, cancellation);
        if (isMine)
        {
            JobEnded(ended.Job.Id, ended.EndState, ended.Progress.Succeeded, ended.Progress.Failed, ended.Progress.Total);
            _signal.Ring(LedgerTopic.WorkFinished);
        }

        return isMine;
    }

    private static Task<List<Candidate>> ListEndedAsync(LedgerSession session, DateTimeOffset now, CancellationToken cancellation) => session.Statement("list_ended_jobs")
        .Set("@now", now.ToUnixTimeMilliseconds())
        .ListAsync(row => new Candidate(new(row.GetInt64(0)), JobStates.Table.Parse(row.GetString(1)), row.GetBoolean(2)), cancellation);

    private static async Task AdvanceAsync(LedgerSession session, Candidate job, DateTimeOffset now, List<(ItemOutcome Outcome, int Items)> closed, CancellationToken cancellation)
    {
        switch (job)
        {
            case { State: JobState.Cancelling }:
                await CloseAsync(JobState.Cancelled, ItemOutcome.Cancelled);
                break;
            case { State: JobState.Queued or JobState.Running, IsDone: true }:
                await FinalizeAsync();
                break;
            default:
                await CloseAsync(JobState.Expired, ItemOutcome.Expired);
                break;
        }

        Task<bool> MoveAsync(JobState from, JobState to) => JobTransitions.MoveAsync(session, job.Id, from, to, now, null, cancellation);

        // Held first: items may be tried again at this moment, or a source added, which leaves a running job running.
        async Task FinalizeAsync()
        {
            await session.Statement("hold_job").Set("@job", job.Id.Value).ExecuteAsync(cancellation);
            if (!await session.Statement("has_work_to_come").Set("@job", job.Id.Value).FirstAsync(row => row.GetBoolean(0), cancellation))
            {
                await MoveAsync(JobState.Queued, JobState.Running);
                await MoveAsync(JobState.Running, JobState.Finalizing);
            }
        }

        // The move holds the job, and tells whether it is still as it was listed. Closing the chunks fences late answers off: what the ledger says from now on stays.
        async Task CloseAsync(JobState to, ItemOutcome outcome)
        {
            if (!await MoveAsync(job.State, to))
            {
                return;
            }

            var held = await session.Statement("list_leased_chunks").Set("@job", job.Id.Value).ListAsync(SweptChunk.Read, cancellation);
            foreach (var chunk in held)
            {
                await AttemptHistory.NoteAsync(session, chunk.Ended(AttemptEnding.JobExpired, now), cancellation);
            }

            await session.Statement("close_chunks").Set("@job", job.Id.Value).ExecuteAsync(cancellation);
            await JobParts.CloseAsync(session, job.Id, to.WireName(), cancellation);
            closed.Add((outcome, await session.Statement("fill_missing_results")
                .Set("@job", job.Id.Value)
                .Set("@outcome", outcome.WireName())
                .Set("@now", now.ToUnixTimeMilliseconds())
                .ExecuteAsync(cancellation)));
        }
    }

    [LoggerMessage(2003, LogLevel.Information, "Job {Job} is {State}: {Succeeded} succeeded, {Failed} failed of {Total}")]
    private partial void JobEnded(JobId job, JobState state, long succeeded, long failed, int total);

    private sealed record Candidate(JobId Id, JobState State, bool IsDone);
}

/// <summary>A job that is over or being closed, and its counts.</summary>
/// <param name="Job">The job.</param>
/// <param name="Progress">Its counts; they will not change any more.</param>
public sealed record EndedJob(JobRecord Job, JobProgress Progress)
{
    /// <summary>The state it ends in.</summary>
    public JobState EndState => Job.State == JobState.Finalizing ? JobState.Completed : Job.State;
}
