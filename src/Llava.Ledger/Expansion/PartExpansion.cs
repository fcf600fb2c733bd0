using System.Runtime.CompilerServices;
using Llava.Contracts;
using Llava.Contracts.States;
using Llava.Ledger.Jobs;
using Llava.Ledger.Signals;
using Llava.Ledger.Storage;
using Llava.Ledger.Telemetry;
using Microsoft.Extensions.Logging;

namespace Llava.Ledger.Expansion;

/// <summary>Takes the items of parts in, as <see cref="JobExpansion"/> does those of a job's own source, while the job runs.</summary>
public sealed partial class PartExpansion
{
    private const int NamePage = 4096;

    private readonly LedgerDatabase _database;
    private readonly ILedgerSignal _signal;
    private readonly ChunkIntake _intake;
    private readonly ILogger<PartExpansion> _logger;

    internal PartExpansion(LedgerDatabase database, ILedgerSignal signal, LedgerMetrics metrics, TimeProvider time, ILogger<PartExpansion> logger)
    {
        _database = database;
        _signal = signal;
        _intake = new(database, metrics, time);
        _logger = logger;
    }

    /// <summary>Of each job that is queued or running, the first part that is still to be read, or to be read on.</summary>
    public Task<List<WaitingPart>> WaitingAsync(CancellationToken cancellation = default) => _database.ReadAsync((session, token) => session.Statement("list_waiting_parts")
        .ListAsync(row => new WaitingPart(JobRecord.Read(row), PartRecord.Read(row, JobRecord.Columns)), token), cancellation);

    /// <summary>Adds chunks after the items the job has, and moves the part's position, in one transaction.</summary>
    /// <param name="job">The job.</param>
    /// <param name="part">Number of the part.</param>
    /// <param name="firstItem">Number of the first new item: the items the caller believes the job has.</param>
    /// <param name="chunks">The new chunks in order.</param>
    /// <param name="position">Where the reader goes on after them.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    /// <returns>False when the job does not run, the part does not wait, or another has gone on with it: stop, nothing was added.</returns>
    public async Task<bool> AppendAsync(JobId job, int part, int firstItem, IReadOnlyList<ExpandedChunk> chunks, string position, CancellationToken cancellation = default)
    {
        // At the sweep's turn, because both give chunks of a job that runs numbers.
        var appended = await _database.WriteAloneAsync(LedgerTurn.Sweep, async (session, token) =>
        {
            await session.Statement("hold_job").Set("@job", job.Value).ExecuteAsync(token);
            var items = chunks.Sum(chunk => chunk.Items.Count);
            var isMine = await session.Statement("advance_part")
                .Set("@job", job.Value)
                .Set("@part", part)
                .Set("@from", firstItem)
                .Set("@items", items)
                .Set("@position", position)
                .ExecuteAsync(token) == 1;
            if (isMine)
            {
                await session.Statement("add_items").Set("@job", job.Value).Set("@items", items).ExecuteAsync(token);
                await _intake.InsertAsync(session, job, firstItem, chunks, token);
            }

            return isMine;
        }, cancellation);
        if (appended)
        {
            _intake.CountRejected(chunks);
            _signal.Ring(LedgerTopic.ChunksWaiting);
        }

        return appended;
    }

    /// <summary>Ends the part: it is done, or failed when it gave no item.</summary>
    /// <returns>False when it did not wait any more.</returns>
    public Task<bool> FinishAsync(JobId job, int part, CancellationToken cancellation = default) => EndAsync(
        job, part, read => read.ItemCount > 0 ? null : new("empty_source", $"The source '{read.Source.Path}' holds no item; check the path and the pattern."), cancellation);

    /// <summary>Ends the part because its source cannot be used. The job goes on, with the items that were read before.</summary>
    /// <returns>False when it did not wait any more.</returns>
    public Task<bool> FailAsync(JobId job, int part, Failure failure, CancellationToken cancellation = default) => EndAsync(job, part, _ => failure, cancellation);

    /// <summary>Names of the job's items before <paramref name="end"/>, in order, a page at a time.</summary>
    public async IAsyncEnumerable<ItemName> NamesAsync(JobId job, int end, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        for (var page = await PageAsync(-1); page.Count > 0; page = await PageAsync(page[^1].ItemNo))
        {
            foreach (var name in page)
            {
                yield return name;
            }
        }

        Task<List<ItemName>> PageAsync(int after) => _database.ReadAsync((session, token) => session.Statement("page_names")
            .Set("@job", job.Value)
            .Set("@after", after)
            .Set("@end", end)
            .Set("@limit", NamePage)
            .ListAsync(row => new ItemName(row.GetInt32(0), row.GetString(1)), token), cancellation);
    }

    private async Task<bool> EndAsync(JobId job, int number, Func<PartRecord, Failure?> judge, CancellationToken cancellation)
    {
        var (ended, failure) = await _database.WriteAsync(async (session, token) =>
        {
            // Held: what is judged here must not be appended to before it is ended.
            await session.Statement("hold_job").Set("@job", job.Value).ExecuteAsync(token);
            var part = await session.Statement("read_part").Set("@job", job.Value).Set("@part", number).FirstAsync(PartRecord.Read, token);
            var found = part is null ? null : judge(part);
            var isMine = await session.Statement("end_part")
                .Set("@job", job.Value)
                .Set("@part", number)
                .Set("@state", (found is null ? PartState.Done : PartState.Failed).WireName())
                .Set("@code", found?.Code)
                .Set("@message", PostgresRows.Storable(found?.Message))
                .ExecuteAsync(token) == 1;
            return (isMine, found);
        }, cancellation);
        if (ended)
        {
            LogEnd(job, number, failure);
            _signal.Ring(LedgerTopic.JobSubmitted); // the next part may be read
            _signal.Ring(LedgerTopic.WorkFinished);
        }

        return ended;
    }

    private void LogEnd(JobId job, int part, Failure? failure)
    {
        if (failure is null)
        {
            PartExpanded(part, job);
        }
        else
        {
            PartFailed(part, job, failure.Code, failure.Message);
        }
    }

    [LoggerMessage(2012, LogLevel.Information, "Part {Part} of job {Job} is expanded")]
    private partial void PartExpanded(int part, JobId job);

    [LoggerMessage(2013, LogLevel.Warning, "Part {Part} of job {Job} failed with {Code}: {Reason}")]
    private partial void PartFailed(int part, JobId job, string code, string reason);
}

/// <summary>A part that is to be read, and its job.</summary>
/// <param name="Job">The job.</param>
/// <param name="Part">The part.</param>
public sealed record WaitingPart(JobRecord Job, PartRecord Part);

/// <summary>What an item is called.</summary>
/// <param name="ItemNo">Its number in the job.</param>
/// <param name="CustomId">Its name.</param>
public readonly record struct ItemName(int ItemNo, string CustomId);
