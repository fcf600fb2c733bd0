using Llava.Contracts;
using Llava.Contracts.States;
using Llava.Ledger.Storage;

namespace Llava.Ledger.Chunks;

/// <summary>
/// Claims that did not end with their chunk done: which worker had which items, for how long, and how it ended. Chunks that end
/// well cost nothing here. Of each job the newest thousand are kept.
/// </summary>
public sealed class AttemptHistory
{
    private const int MostOfJob = 1000;

    // The beginning says what it was; some exceptions go on for pages.
    private const int LongestError = 2000;

    private readonly LedgerDatabase _database;

    internal AttemptHistory(LedgerDatabase database) => _database = database;

    /// <summary>The attempts of chunks that held the item, the oldest first; halving leaves each with the range it had then.</summary>
    public Task<List<ChunkAttempt>> OfItemAsync(JobId job, int itemNo, CancellationToken cancellation = default) => ListAsync(job, itemNo, cancellation);

    /// <summary>All that is kept of the job, the oldest first.</summary>
    public Task<List<ChunkAttempt>> OfJobAsync(JobId job, CancellationToken cancellation = default) => ListAsync(job, null, cancellation);

    /// <summary>Writes an attempt down, once however often that is repeated.</summary>
    internal static Task NoteAsync(LedgerSession session, ChunkAttempt attempt, CancellationToken cancellation) => session.Statement("insert_attempt")
        .Set("@job", attempt.Job.Value)
        .Set("@chunk", attempt.ChunkNo)
        .Set("@fence", attempt.Fence)
        .Set("@ending", attempt.Ending.WireName())
        .Set("@attempt", attempt.Attempt)
        .Set("@first", attempt.FirstItem)
        .Set("@items", attempt.ItemCount)
        .Set("@worker", attempt.Worker)
        .Set("@started", attempt.StartedAt.ToUnixTimeMilliseconds())
        .Set("@now", attempt.EndedAt.ToUnixTimeMilliseconds())
        .Set("@error", PostgresRows.Storable(attempt.Error is { Length: > LongestError } error ? error[..LongestError] : attempt.Error))
        .ExecuteAsync(cancellation);

    /// <summary>Forgets the oldest beyond what is kept.</summary>
    internal static Task TrimAsync(LedgerSession session, JobId job, CancellationToken cancellation) => session.Statement("trim_attempts")
        .Set("@job", job.Value)
        .Set("@newer", MostOfJob - 1)
        .ExecuteAsync(cancellation);

    private Task<List<ChunkAttempt>> ListAsync(JobId job, int? itemNo, CancellationToken cancellation) =>
        _database.ReadAsync((session, token) => session.Statement("list_attempts")
            .Set("@job", job.Value)
            .Set("@item", itemNo)
            .ListAsync(row => new ChunkAttempt(
                job, row.GetInt32(0), row.GetInt32(1), AttemptEndings.Table.Parse(row.GetString(2)), row.GetInt32(3), row.GetInt32(4), row.GetInt32(5),
                row.Text(6), row.Time(7), row.Time(8), row.Text(9)), token), cancellation);
}

/// <summary>A claim that did not end with its chunk done, or the halving that followed.</summary>
/// <param name="Job">The job.</param>
/// <param name="ChunkNo">The chunk.</param>
/// <param name="Fence">Number of the claim.</param>
/// <param name="Ending">How it ended.</param>
/// <param name="Attempt">Which attempt it was, counted from 1.</param>
/// <param name="FirstItem">First item of the chunk at that time.</param>
/// <param name="ItemCount">Its items at that time.</param>
/// <param name="Worker">Who had it; null for a halving.</param>
/// <param name="StartedAt">When it was claimed.</param>
/// <param name="EndedAt">When it ended, or was found ended.</param>
/// <param name="Error">What the worker said; for a halving, what the last failure said.</param>
public sealed record ChunkAttempt(
    JobId Job, int ChunkNo, int Fence, AttemptEnding Ending, int Attempt, int FirstItem, int ItemCount, string? Worker, DateTimeOffset StartedAt, DateTimeOffset EndedAt, string? Error);
