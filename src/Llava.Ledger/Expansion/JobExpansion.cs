using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Ledger.Batches;
using Llava.Ledger.Jobs;
using Llava.Ledger.Sampling;
using Llava.Ledger.Schedules;
using Llava.Ledger.Signals;
using Llava.Ledger.Storage;
using Llava.Ledger.Telemetry;
using Microsoft.Extensions.Logging;

namespace Llava.Ledger.Expansion;

/// <summary>Takes the items of a job in, batch by batch. The reader's position is kept with each batch, so an interrupted expansion goes on where the last commit ended.</summary>
public sealed partial class JobExpansion
{
    private readonly LedgerDatabase _database;
    private readonly ILedgerSignal _signal;
    private readonly ChunkIntake _intake;
    private readonly TimeProvider _time;
    private readonly ILogger<JobExpansion> _logger;

    internal JobExpansion(LedgerDatabase database, ILedgerSignal signal, LedgerMetrics metrics, TimeProvider time, ILogger<JobExpansion> logger)
    {
        _database = database;
        _signal = signal;
        _intake = new(database, metrics, time);
        _time = time;
        _logger = logger;
    }

    /// <summary>Jobs whose source is still to be read, or to be read on.</summary>
    public Task<List<JobRecord>> WaitingAsync(CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => session.Statement("list_jobs_to_expand").ListAsync(JobRecord.Read, token), cancellation);

    /// <summary>
    /// Adds chunks after the items there are, and moves the position, in one transaction. A job that runs while it is read is queued with the
    /// first of them that can be worked on.
    /// </summary>
    /// <param name="job">The job.</param>
    /// <param name="firstItem">Number of the first new item: the items the caller believes there are.</param>
    /// <param name="chunks">The new chunks in order.</param>
    /// <param name="position">Where the reader goes on after them.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    /// <returns>False when the job is no longer being expanded, or another has gone on with it: stop, nothing was added.</returns>
    public async Task<bool> AppendAsync(JobId job, int firstItem, IReadOnlyList<ExpandedChunk> chunks, string position, CancellationToken cancellation = default)
    {
        // At the sweep's turn, because both give chunks of a job that runs numbers.
        var (appended, queued) = await _database.WriteAloneAsync(LedgerTurn.Sweep, async (session, token) =>
        {
            var isMine = await session.Statement("advance_expansion")
                .Set("@job", job.Value)
                .Set("@from", firstItem)
                .Set("@items", chunks.Sum(chunk => chunk.Items.Count))
                .Set("@position", position)
                .ExecuteAsync(token) == 1;
            if (!isMine)
            {
                return (false, false);
            }

            await _intake.InsertAsync(session, job, firstItem, chunks, token);
            return (true, await QueueAsync(session, job, chunks, token));
        }, cancellation);
        if (appended)
        {
            _intake.CountRejected(chunks);
        }

        if (queued)
        {
            _signal.Ring(LedgerTopic.ChunksWaiting);
        }

        return appended;
    }

    /// <summary>Ends the expansion: the job is queued, if it was not before, or failed when no item of it can be worked on.</summary>
    /// <returns>False when the job was no longer being expanded.</returns>
    public Task<bool> FinishAsync(JobId job, CancellationToken cancellation = default) => EndAsync(job, async (session, record, token) =>
    {
        if (record.ItemCount == 0)
        {
            // Nothing new is what most nights bring, and no failure.
            return await ScheduleMemory.OriginAsync(session, job, token) is { OnlyNew: true } ? null : new("empty_source", $"The source '{record.Request.Source.Path}' holds no item; check the path and the pattern.");
        }

        if (record.StartedAt is not null)
        {
            return null; // what was claimed could be worked on
        }

        var usable = await session.Statement("count_unfinished_chunks").Set("@job", job.Value).FirstAsync(row => row.GetInt64(0), token);
        return usable > 0 ? null : new("no_usable_item", $"None of the {record.ItemCount} items of '{record.Request.Source.Path}' can be worked on; the results say why for each.");
    }, cancellation);

    /// <summary>Ends the expansion because the source cannot be read.</summary>
    /// <param name="job">The job.</param>
    /// <param name="failure">Why it fails.</param>
    /// <param name="findings">Records that are to blame; kept with the batch that the job is, if it is one.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    /// <returns>False when the job was no longer being expanded.</returns>
    public Task<bool> FailAsync(JobId job, Failure failure, IReadOnlyList<SourceFinding>? findings = null, CancellationToken cancellation = default) =>
        EndAsync(job, async (session, _, token) =>
        {
            await BatchStore.NoteAsync(session, job, findings ?? [], token);
            return failure;
        }, cancellation);

    /// <summary>Notes that all of the job's own source is read, inside a write that holds the job.</summary>
    internal static Task<int> NoteExpandedAsync(LedgerSession session, JobId job, DateTimeOffset now, CancellationToken cancellation) =>
        session.Statement("note_expanded").Set("@job", job.Value).Set("@now", now.ToUnixTimeMilliseconds()).ExecuteAsync(cancellation);

    /// <summary>Queues the job, where it still waits and may run while it is read, once something of it can be worked on.</summary>
    /// <returns>Whether the chunks are to be handed out.</returns>
    private async Task<bool> QueueAsync(LedgerSession session, JobId job, IReadOnlyList<ExpandedChunk> chunks, CancellationToken cancellation)
    {
        if (chunks.All(chunk => chunk.Items.All(item => item.Rejection is not null)) || await JobReader.FindAsync(session, job, cancellation) is not { Request.RunsWhileRead: true } record)
        {
            return false;
        }

        if (record.State == JobState.Validating)
        {
            await JobTransitions.MoveAsync(session, job, JobState.Validating, JobState.Queued, _time.GetUtcNow(), null, cancellation);
        }

        return true;
    }

    private async Task<bool> EndAsync(JobId job, Func<LedgerSession, JobRecord, CancellationToken, Task<Failure?>> judge, CancellationToken cancellation)
    {
        var (ended, failure) = await _database.WriteAsync(async (session, token) =>
        {
            // Held: what is judged here must not be appended to, or move, before it is ended.
            await session.Statement("hold_job").Set("@job", job.Value).ExecuteAsync(token);
            if (await JobReader.FindAsync(session, job, token) is not { IsBeingRead: true } record)
            {
                return (false, null);
            }

            var found = await judge(session, record, token);
            await (found is null ? EndAsync(session, record, token) : FailAsync(session, record, found, token));
            return (true, found);
        }, cancellation);
        if (ended)
        {
            LogEnd(job, failure);
            _signal.Ring(LedgerTopic.ChunksWaiting);
            _signal.Ring(LedgerTopic.WorkFinished);
            _signal.Ring(LedgerTopic.JobControlled);
        }

        return ended;
    }

    private async Task EndAsync(LedgerSession session, JobRecord job, CancellationToken cancellation)
    {
        var now = _time.GetUtcNow();
        if (job.State == JobState.Validating)
        {
            await JobTransitions.MoveAsync(session, job.Id, JobState.Validating, JobState.Queued, now, null, cancellation);
        }

        await NoteExpandedAsync(session, job.Id, now, cancellation);
        await JobSampling.CutAsync(_database, session, job.Id, cancellation);
    }

    /// <summary>Closing its chunks fences off whoever still works on one.</summary>
    private async Task FailAsync(LedgerSession session, JobRecord job, Failure failure, CancellationToken cancellation)
    {
        await JobTransitions.MoveAsync(session, job.Id, job.State, JobState.Failed, _time.GetUtcNow(), failure, cancellation);
        await session.Statement("close_chunks").Set("@job", job.Id.Value).ExecuteAsync(cancellation);
        await JobParts.CloseAsync(session, job.Id, JobState.Failed.WireName(), cancellation);
    }

    private void LogEnd(JobId job, Failure? failure)
    {
        if (failure is null)
        {
            JobExpanded(job);
        }
        else
        {
            JobFailed(job, failure.Code, failure.Message);
        }
    }

    [LoggerMessage(2010, LogLevel.Information, "All of job {Job} is read and queued")]
    private partial void JobExpanded(JobId job);

    [LoggerMessage(2011, LogLevel.Warning, "Job {Job} failed with {Code}: {Reason}")]
    private partial void JobFailed(JobId job, string code, string reason);
}

/// <summary>A record of a source that cannot be used.</summary>
/// <param name="Failure">Why.</param>
/// <param name="Line">Where it stands, counted from 1; null where records have no place.</param>
public sealed record SourceFinding(Failure Failure, int? Line);

/// <summary>A new chunk and its items.</summary>
/// <param name="Items">Consecutive items.</param>
/// <param name="Tokens">Tokens predicted for them.</param>
public sealed record ExpandedChunk(IReadOnlyList<ExpandedItem> Items, long Tokens)
{
    /// <summary>The model that all items ask that can be worked on, instead of the job's; null where they ask the job's.</summary>
    internal string? Model => Items.FirstOrDefault(item => item.Rejection is null)?.Spec.Model;
}

/// <summary>A new item.</summary>
/// <param name="Spec">The item.</param>
/// <param name="Rejection">Why it can never be worked on; it fails at once and the job goes on without it.</param>
public sealed record ExpandedItem(ItemSpec Spec, Failure? Rejection = null)
{
    /// <summary>By what a schedule knows it again, where its jobs ask about what is new only.</summary>
    public long? Key { get; init; }

    /// <summary>The right answer, where the job's answers are scored.</summary>
    public string? Expected { get; init; }
}
