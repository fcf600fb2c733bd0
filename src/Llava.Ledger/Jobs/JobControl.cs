using System.Diagnostics;
using Llava.Contracts;
using Llava.Contracts.States;
using Llava.Ledger.Signals;
using Llava.Ledger.Storage;
using Microsoft.Extensions.Logging;

namespace Llava.Ledger.Jobs;

/// <summary>Cancels, pauses and resumes. Asking for what is already so changes nothing.</summary>
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
    public Task<JobState> CancelAsync(JobId job, CancellationToken cancellation = default) => ControlAsync(job, async (session, record, token) =>
    {
        if (record.State is JobState.Cancelling or JobState.Cancelled)
        {
            return record.State;
        }

        await MoveAsync(session, record, JobState.Cancelling, token);
        await session.Statement("close_open_chunks").Set("@job", job.Value).ExecuteAsync(token);
        return JobState.Cancelling;
    }, cancellation);

    /// <summary>Holds the job: nothing more is handed out and what runs is given back, until it is resumed.</summary>
    /// <inheritdoc cref="CancelAsync"/>
    public Task<JobState> PauseAsync(JobId job, CancellationToken cancellation = default) => ControlAsync(job, async (session, record, token) =>
        record.State == JobState.Paused ? record.State : await MoveAsync(session, record, JobState.Paused, token), cancellation);

    /// <summary>Goes on with a paused job.</summary>
    /// <inheritdoc cref="CancelAsync"/>
    public Task<JobState> ResumeAsync(JobId job, CancellationToken cancellation = default) => ControlAsync(job, async (session, record, token) =>
    {
        if (record.State is JobState.Validating or JobState.Queued or JobState.Running)
        {
            return record.State;
        }

        await session.Statement("unpublish_chunks_of_job").Set("@job", job.Value).ExecuteAsync(token);
        return await MoveAsync(session, record, record.ExpandedAt is null ? JobState.Validating : JobState.Queued, token);
    }, cancellation);

    private async Task<JobState> ControlAsync(JobId job, Func<LedgerSession, JobRecord, CancellationToken, Task<JobState>> control, CancellationToken cancellation)
    {
        var state = await _database.WriteAsync(async (session, token) =>
        {
            await session.Statement("hold_job").Set("@job", job.Value).ExecuteAsync(token);
            return await control(session, await JobReader.FindAsync(session, job, token) ?? throw new JobNotFoundException(job), token);
        }, cancellation);
        JobControlled(job, state);
        foreach (var topic in Enum.GetValues<LedgerTopic>())
        {
            _signal.Ring(topic);
        }

        return state;
    }

    private async Task<JobState> MoveAsync(LedgerSession session, JobRecord job, JobState to, CancellationToken cancellation) =>
        await JobTransitions.MoveAsync(session, job.Id, job.State, to, _time.GetUtcNow(), null, cancellation)
            ? to
            : throw new UnreachableException($"Job '{job.Id}' changed its state while it was held.");

    [LoggerMessage(2002, LogLevel.Information, "Job {Job} is now {State}")]
    private partial void JobControlled(JobId job, JobState state);
}
