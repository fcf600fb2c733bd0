using System.Data.Common;
using Llava.Contracts;
using Llava.Ledger.Storage;

namespace Llava.Ledger.Chunks;

/// <summary>What may be handed out, and what was.</summary>
public sealed class ChunkDispatch
{
    private readonly LedgerDatabase _database;
    private readonly TimeProvider _time;

    internal ChunkDispatch(LedgerDatabase database, TimeProvider time)
    {
        _database = database;
        _time = time;
    }

    /// <summary>Jobs that may run and ask the model, with what each has outstanding there: published or leased, and not done.</summary>
    /// <param name="model">The model.</param>
    /// <param name="expressChunks">How many chunks of each job count as express.</param>
    /// <param name="cancellation">Gives up.</param>
    public Task<List<DispatchableJob>> JobsAsync(string model, int expressChunks, CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => session.Statement("list_jobs_to_dispatch")
            .Set("@model", model)
            .Set("@express", expressChunks)
            .ListAsync(Job, token), cancellation);

    /// <summary>The job's first chunks that nobody was asked to run.</summary>
    /// <param name="job">The job.</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="model">Only those that ask this model; null for all.</param>
    /// <param name="cancellation">Gives up.</param>
    public Task<List<WaitingChunk>> WaitingAsync(JobId job, int limit, string? model = null, CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => session.Statement("list_waiting_chunks")
            .Set("@job", job.Value)
            .Set("@model", model)
            .Set("@limit", limit)
            .ListAsync(row => new WaitingChunk(job, row.GetInt32(0), row.GetInt32(1), row.GetInt32(2), row.GetInt32(3), row.GetInt64(4)), token), cancellation);

    /// <summary>Hands a model's chunks out, unless another process does at this moment: two would overfill the window and send the same chunks.</summary>
    /// <param name="model">The model.</param>
    /// <param name="atMost">Time after which another process may begin, should this one be frozen.</param>
    /// <param name="handOut">Picks chunks, sends their messages and calls <see cref="MarkPublishedAsync"/>.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>False when another process is at it.</returns>
    public Task<bool> TryAloneAsync(string model, TimeSpan atMost, Func<CancellationToken, Task> handOut, CancellationToken cancellation = default) =>
        _database.TryAloneAsync($"dispatch {model}", atMost, handOut, cancellation);

    /// <summary>
    /// Notes that messages for these chunks went out. To be called when they did: a crash in between sends them twice and
    /// never not at all, and a second message finds nothing to do.
    /// </summary>
    public Task MarkPublishedAsync(IReadOnlyList<WaitingChunk> chunks, CancellationToken cancellation = default) => _database.WriteAsync(
        async (session, token) =>
        {
            await _database.MarkPublishedAsync(session, chunks, _time.GetUtcNow(), token);
            return chunks.Count;
        },
        cancellation);

    /// <summary>Forgets which open chunks were published before now: with an in-memory transport the messages died with their process. A second message does no harm.</summary>
    public Task<int> ForgetPublishedAsync(CancellationToken cancellation = default) =>
        _database.WriteAsync((session, token) => session.Statement("unpublish_open_chunks")
            .Set("@before", _time.GetUtcNow().ToUnixTimeMilliseconds() + 1)
            .ExecuteAsync(token), cancellation);

    private static DispatchableJob Job(DbDataReader row) => new(new(row.GetInt64(0)), row.GetString(1), row.GetInt32(2))
    {
        OutstandingItems = row.GetInt32(3),
        OutstandingExpressItems = row.GetInt32(4),
        OutstandingTokens = row.GetInt64(5),
        FirstWaiting = row.IsDBNull(6) ? null : row.GetInt32(6),
    };
}

/// <summary>A job that may run.</summary>
/// <param name="Id">The job.</param>
/// <param name="Tenant">Who it belongs to.</param>
/// <param name="Priority">A higher one goes first.</param>
public sealed record DispatchableJob(JobId Id, string Tenant, int Priority)
{
    /// <summary>Items handed out and not done.</summary>
    public int OutstandingItems { get; init; }

    /// <summary>Of those, items of express chunks.</summary>
    public int OutstandingExpressItems { get; init; }

    /// <summary>Tokens predicted for <see cref="OutstandingItems"/>.</summary>
    public long OutstandingTokens { get; init; }

    /// <summary>The first chunk that nobody was asked to run; null when none waits.</summary>
    public int? FirstWaiting { get; init; }
}

/// <summary>A chunk that nobody was asked to run.</summary>
/// <param name="Job">The job.</param>
/// <param name="ChunkNo">The chunk.</param>
/// <param name="Attempt">Attempts it lost so far.</param>
/// <param name="Fence">Rises with each claim, and whenever messages sent before count no more.</param>
/// <param name="ItemCount">Its items.</param>
/// <param name="Tokens">Tokens predicted for it.</param>
public sealed record WaitingChunk(JobId Job, int ChunkNo, int Attempt, int Fence, int ItemCount, long Tokens);
