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

    /// <summary>Jobs of a model that may run, with what each has outstanding: published or leased, and not done.</summary>
    public Task<List<DispatchableJob>> JobsAsync(string model, CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => session.Statement("list_jobs_to_dispatch")
            .Set("@model", model)
            .ListAsync(row => new DispatchableJob(new(row.GetInt64(0)), row.GetString(1), row.GetInt32(2), row.GetInt32(3), row.GetInt64(4)), token), cancellation);

    /// <summary>The job's first chunks that nobody was asked to run.</summary>
    public Task<List<WaitingChunk>> WaitingAsync(JobId job, int limit, CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => session.Statement("list_waiting_chunks")
            .Set("@job", job.Value)
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
}

/// <summary>A job that may run.</summary>
/// <param name="Id">The job.</param>
/// <param name="Tenant">Who it belongs to.</param>
/// <param name="Priority">A higher one goes first.</param>
/// <param name="OutstandingItems">Items handed out and not done.</param>
/// <param name="OutstandingTokens">Tokens predicted for them.</param>
public sealed record DispatchableJob(JobId Id, string Tenant, int Priority, int OutstandingItems, long OutstandingTokens);

/// <summary>A chunk that nobody was asked to run.</summary>
/// <param name="Job">The job.</param>
/// <param name="ChunkNo">The chunk.</param>
/// <param name="Attempt">Attempts it lost so far.</param>
/// <param name="Fence">Claims it has seen so far.</param>
/// <param name="ItemCount">Its items.</param>
/// <param name="Tokens">Tokens predicted for it.</param>
public sealed record WaitingChunk(JobId Job, int ChunkNo, int Attempt, int Fence, int ItemCount, long Tokens);
