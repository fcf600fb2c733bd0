using System.Diagnostics;
using Llava.Contracts;
using Llava.Contracts.States;
using Llava.Ledger.Audit;
using Llava.Ledger.Signals;
using Llava.Ledger.Storage;
using Microsoft.Extensions.Logging;

namespace Llava.Ledger.Jobs;

/// <summary>Cancels, pauses, resumes and tries again. Asking for what is already so changes nothing.</summary>
public sealed partial class JobControl
{
    private readonly LedgerDatabase _database;
    private readonly ILedgerSignal _signal;
    private readonly TimeProvider _time;
    private readonly ILogger<JobControl> _logger;

    internal JobControl(LedgerDatabase database, ILedgerSignal signal, TimeProvider time, ILogger<JobControl> logger)
    {
        _database = database;
        _signal = signal;
        _time = time;
        _logger = logger;
    }

    /// <summary>Stops the job: nothing more is handed out, what runs is put down, unanswered items are marked cancelled. Answers stay.</summary>
    /// <returns>The state the job is in now.</returns>
    /// <exception cref="JobNotFoundException">There is no such job.</exception>
    /// <exception cref="JobTransitionException">The job is already over.</exception>
    public Task<JobState> CancelAsync(JobId job, CancellationToken cancellation = default) =>
        ControlAsync(job, AuditActions.JobCancelled, CancelAsync, cancellation);

    /// <summary>Holds the job: nothing more is handed out and what runs is given back, until it is resumed.</summary>
    /// <inheritdoc cref="CancelAsync(JobId, CancellationToken)"/>
    public Task<JobState> PauseAsync(JobId job, CancellationToken cancellation = default) => ControlAsync(job, AuditActions.JobPaused, async (session, record, now, token) =>
        record.State == JobState.Paused ? record.State : await MoveAsync(session, record, JobState.Paused, now, token), cancellation);

    /// <summary>Goes on with a paused job.</summary>
    /// <inheritdoc cref="CancelAsync(JobId, CancellationToken)"/>
    public Task<JobState> ResumeAsync(JobId job, CancellationToken cancellation = default) => ControlAsync(job, AuditActions.JobResumed, async (session, record, now, token) =>
    {
        if (record.State is JobState.Validating or JobState.Queued or JobState.Running)
        {
            return record.State;
        }

        if (record.State != JobState.Paused)
        {
            // A job that is over may be queued again, but only by a retry.
            throw new JobTransitionException(job, record.State, JobState.Queued);
        }

        await session.Statement("unpublish_chunks_of_job").Set("@job", job.Value).ExecuteAsync(token);
        return await MoveAsync(session, record, record.ExpandedAt is null ? JobState.Validating : JobState.Queued, now, token);
    }, cancellation);

    /// <summary>The same inside a write of the caller's, who rings when it is committed.</summary>
    /// <returns>False when the job was being cancelled, or was, before.</returns>
    internal static async Task<bool> CancelAsync(LedgerSession session, JobId job, DateTimeOffset now, CancellationToken cancellation)
    {
        await session.Statement("hold_job").Set("@job", job.Value).ExecuteAsync(cancellation);
        var record = await JobReader.FindAsync(session, job, cancellation) ?? throw new JobNotFoundException(job);
        return await CancelAsync(session, record, now, cancellation) != record.State;
    }

    private static async Task<JobState> CancelAsync(LedgerSession session, JobRecord job, DateTimeOffset now, CancellationToken cancellation)
    {
        if (job.State is JobState.Cancelling or JobState.Cancelled)
        {
            return job.State;
        }

        await MoveAsync(session, job, JobState.Cancelling, now, cancellation);
        await session.Statement("close_open_chunks").Set("@job", job.Id.Value).ExecuteAsync(cancellation);
        await JobParts.CloseAsync(session, job.Id, JobState.Cancelled.WireName(), cancellation);
        return JobState.Cancelling;
    }

    /// <summary>Tries items again that have a result but no answer. A job that is over is queued again, and its next end is announced like the first.</summary>
    /// <param name="job">The job.</param>
    /// <param name="filter">Which items; null takes all that failed.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    /// <returns>The state the job is in now and how many items are tried again; without any, nothing changes.</returns>
    /// <exception cref="JobNotFoundException">There is no such job.</exception>
    /// <exception cref="RetryRefusedException">The job is being read in, closed or cancelled, or its source could not be used.</exception>
    public async Task<RetriedJob> RetryAsync(JobId job, RetryFilter? filter = null, CancellationToken cancellation = default)
    {
        RetriedJob? before = null;
        var now = _time.GetUtcNow();
        var retried = await _database.WriteAloneAsync(LedgerTurn.Sweep, async (session, token) =>
        {
            var record = await HoldAsync(session, job, token);
            var result = await new JobRetry(_database, _time).RunAsync(session, record, filter ?? new(), token);
            if (result.Items > 0)
            {
                await AuditChain.AppendAsync(session, now, AuditActions.JobRetried, record.Request.Tenant, job.ToString(), new() { ["items"] = result.Items }, token);
            }

            // Run again after a commit that nobody confirmed, it finds nothing left to take back.
            return before = session.IsRepeat && result.Items == 0 && before is not null ? before : result;
        }, cancellation);
        if (retried.Items > 0)
        {
            ItemsRetried(job, retried.Items, retried.State);
            RingAll();
        }

        return retried;
    }

    private async Task<JobState> ControlAsync(
        JobId job, string action, Func<LedgerSession, JobRecord, DateTimeOffset, CancellationToken, Task<JobState>> control, CancellationToken cancellation)
    {
        var now = _time.GetUtcNow();
        var state = await _database.WriteAsync(async (session, token) =>
        {
            var record = await HoldAsync(session, job, token);
            var after = await control(session, record, now, token);
            if (after != record.State)
            {
                await AuditChain.AppendAsync(session, now, action, record.Request.Tenant, job.ToString(), null, token);
            }

            return after;
        }, cancellation);
        JobControlled(job, state);
        RingAll();
        return state;
    }

    /// <summary>The job, which nobody else changes until the commit.</summary>
    private static async Task<JobRecord> HoldAsync(LedgerSession session, JobId job, CancellationToken cancellation)
    {
        await session.Statement("hold_job").Set("@job", job.Value).ExecuteAsync(cancellation);
        return await JobReader.FindAsync(session, job, cancellation) ?? throw new JobNotFoundException(job);
    }

    private void RingAll()
    {
        foreach (var topic in Enum.GetValues<LedgerTopic>())
        {
            _signal.Ring(topic);
        }
    }

    private static async Task<JobState> MoveAsync(LedgerSession session, JobRecord job, JobState to, DateTimeOffset now, CancellationToken cancellation) =>
        await JobTransitions.MoveAsync(session, job.Id, job.State, to, now, null, cancellation)
            ? to
            : throw new UnreachableException($"Job '{job.Id}' changed its state while it was held.");

    [LoggerMessage(2002, LogLevel.Information, "Job {Job} is now {State}")]
    private partial void JobControlled(JobId job, JobState state);

    [LoggerMessage(2005, LogLevel.Information, "{Items} items of job {Job} are tried again; it is now {State}")]
    private partial void ItemsRetried(JobId job, int items, JobState state);
}
