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
        _database.ReadAsync((session, token) => session.Statement("list_validating_jobs").ListAsync(JobRecord.Read, token), cancellation);

    /// <summary>Adds chunks after the items there are, and moves the position, in one transaction.</summary>
    /// <param name="job">The job.</param>
    /// <param name="firstItem">Number of the first new item: the items the caller believes there are.</param>
    /// <param name="chunks">The new chunks in order.</param>
    /// <param name="position">Where the reader goes on after them.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    /// <returns>False when the job is no longer being expanded, or another has gone on with it: stop, nothing was added.</returns>
    public async Task<bool> AppendAsync(JobId job, int firstItem, IReadOnlyList<ExpandedChunk> chunks, string position, CancellationToken cancellation = default)
    {
        var appended = await _database.WriteAsync(async (session, token) =>
        {
            var isMine = await session.Statement("advance_expansion")
                .Set("@job", job.Value)
                .Set("@from", firstItem)
                .Set("@items", chunks.Sum(chunk => chunk.Items.Count))
                .Set("@position", position)
                .ExecuteAsync(token) == 1;
            if (isMine)
            {
                await _intake.InsertAsync(session, job, firstItem, chunks, token);
            }

            return isMine;
        }, cancellation);
        if (appended)
        {
            _intake.CountRejected(chunks);
        }

        return appended;
    }

    /// <summary>Ends the expansion: the job is queued, or failed when no item of it can be worked on.</summary>
    /// <returns>False when the job was no longer being expanded.</returns>
    public Task<bool> FinishAsync(JobId job, CancellationToken cancellation = default) => EndAsync(job, async (session, token) =>
    {
        var record = await JobReader.FindAsync(session, job, token) ?? throw new JobNotFoundException(job);
        if (record.ItemCount == 0)
        {
            // Nothing new is what most nights bring, and no failure.
            return await ScheduleMemory.OriginAsync(session, job, token) is { OnlyNew: true } ? null : new("empty_source", $"The source '{record.Request.Source.Path}' holds no item; check the path and the pattern.");
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
        EndAsync(job, async (session, token) =>
        {
            await BatchStore.NoteAsync(session, job, findings ?? [], token);
            return failure;
        }, cancellation);

    private async Task<bool> EndAsync(JobId job, Func<LedgerSession, CancellationToken, Task<Failure?>> judge, CancellationToken cancellation)
    {
        var (moved, failure) = await _database.WriteAsync(async (session, token) =>
        {
            // Held: what is judged here must not be appended to before it is moved.
            await session.Statement("hold_job").Set("@job", job.Value).ExecuteAsync(token);
            var found = await judge(session, token);
            var isMine = await JobTransitions.MoveAsync(session, job, JobState.Validating, found is null ? JobState.Queued : JobState.Failed, _time.GetUtcNow(), found, token);
            if (isMine && found is null)
            {
                await JobSampling.CutAsync(_database, session, job, token);
            }
            else if (isMine)
            {
                await session.Statement("close_chunks").Set("@job", job.Value).ExecuteAsync(token);
                await JobParts.CloseAsync(session, job, JobState.Failed.WireName(), token);
            }

            return (isMine, found);
        }, cancellation);
        if (moved)
        {
            LogEnd(job, failure);
            _signal.Ring(LedgerTopic.ChunksWaiting);
            _signal.Ring(LedgerTopic.WorkFinished);
        }

        return moved;
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

    [LoggerMessage(2010, LogLevel.Information, "Job {Job} is expanded and queued")]
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
public sealed record ExpandedChunk(IReadOnlyList<ExpandedItem> Items, long Tokens);

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
