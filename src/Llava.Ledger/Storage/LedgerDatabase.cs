using Llava.Contracts;
using Llava.Ledger.Chunks;

namespace Llava.Ledger.Storage;

/// <summary>What differs between the databases: how to read, how to write together, how to fill fast, how to bring the schema up to date.</summary>
internal abstract class LedgerDatabase : IAsyncDisposable
{
    /// <summary>Runs <paramref name="read"/> on a session of its own that sees what was committed before.</summary>
    public abstract Task<T> ReadAsync<T>(Func<LedgerSession, CancellationToken, Task<T>> read, CancellationToken cancellation);

    /// <summary>Runs <paramref name="write"/> in a transaction, all or nothing; the task ends once it is committed.</summary>
    /// <remarks>
    /// Writes that wait at the same moment may share a commit; one that throws undoes only itself. A write may run again after
    /// a fault of the database, so all it does is inside the transaction or harmless when repeated (<see cref="LedgerSession.IsRepeat"/>).
    /// Other processes write at the same moment: what a write read it must hold or ask again.
    /// </remarks>
    public abstract Task<T> WriteAsync<T>(Func<LedgerSession, CancellationToken, Task<T>> write, CancellationToken cancellation);

    /// <summary>As <see cref="WriteAsync"/>, but no other process is at the same <paramref name="turn"/> until the commit.</summary>
    public abstract Task<T> WriteAloneAsync<T>(LedgerTurn turn, Func<LedgerSession, CancellationToken, Task<T>> write, CancellationToken cancellation);

    /// <summary>Does work that is more than one write, unless another process is at it.</summary>
    /// <param name="turn">Name of the work.</param>
    /// <param name="atMost">Time after which another may begin, should this process be frozen. The work may then be done again.</param>
    /// <param name="work">The work, with reads and writes of its own.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>False when another process is at it.</returns>
    /// <remarks>SQLite cannot tell; there the work may be done by two processes at once.</remarks>
    public abstract Task<bool> TryAloneAsync(string turn, TimeSpan atMost, Func<CancellationToken, Task> work, CancellationToken cancellation);

    /// <summary>Inserts new items; those must not be there yet.</summary>
    public abstract Task InsertItemsAsync(LedgerSession session, IReadOnlyList<ItemDraft> items, CancellationToken cancellation);

    /// <summary>Inserts new chunks; those must not be there yet.</summary>
    public abstract Task InsertChunksAsync(LedgerSession session, IReadOnlyList<ChunkDraft> chunks, CancellationToken cancellation);

    /// <summary>Inserts results, leaving those alone that are there already.</summary>
    public abstract Task InsertResultsAsync(LedgerSession session, IReadOnlyList<ResultDraft> results, CancellationToken cancellation);

    /// <summary>Claims those chunks that are open and have lost no attempt since.</summary>
    /// <param name="session">A write's session.</param>
    /// <param name="claims">Claims in the order of their chunks, which all writers share.</param>
    /// <param name="now">Now.</param>
    /// <param name="until">End of the leases; tells these claims from all others, should the write be repeated.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    /// <returns>For each claim, in order, what was granted, or null.</returns>
    public abstract Task<IReadOnlyList<GrantedClaim?>> ClaimAsync(LedgerSession session, IReadOnlyList<ChunkClaim> claims, DateTimeOffset now, DateTimeOffset until, CancellationToken cancellation);

    /// <summary>Items without a result, in order, for each of the ranges.</summary>
    public abstract Task<IReadOnlyList<IReadOnlyList<ClaimedItem>>> ListMissingAsync(LedgerSession session, IReadOnlyList<ItemRange> ranges, CancellationToken cancellation);

    /// <summary>Notes which item each key was last asked as; the keys differ.</summary>
    public abstract Task InsertKeysAsync(LedgerSession session, IReadOnlyList<KeyDraft> keys, CancellationToken cancellation);

    /// <summary>Of these keys, those that are not new to the schedule that made the job.</summary>
    public abstract Task<IReadOnlySet<long>> ListKnownAsync(LedgerSession session, JobId job, IReadOnlyList<long> keys, CancellationToken cancellation);

    /// <summary>Of these leases, those that hold; nobody else changes their chunks until the commit, and those that are completed are done with it.</summary>
    /// <param name="session">A write's session.</param>
    /// <param name="leases">Different leases, in the order of their chunks, which all writers share.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public abstract Task<IReadOnlySet<ChunkLease>> HoldAsync(LedgerSession session, IReadOnlyList<UsedLease> leases, CancellationToken cancellation);

    /// <summary>Notes that messages for these chunks went out, except for those that were claimed since.</summary>
    public abstract Task MarkPublishedAsync(LedgerSession session, IReadOnlyList<WaitingChunk> chunks, DateTimeOffset now, CancellationToken cancellation);

    /// <summary>Creates the schema or brings an older one up to date, once; reads and writes do so by themselves.</summary>
    public abstract Task PrepareAsync();

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();
}

/// <summary>Work on the ledger that one process does at a time.</summary>
internal enum LedgerTurn
{
    /// <summary>Bringing the schema up to date.</summary>
    Migrate,

    /// <summary>Looking for what was lost.</summary>
    Sweep,

    /// <summary>Bringing jobs to their end.</summary>
    End,

    /// <summary>Deleting jobs.</summary>
    Delete,

    /// <summary>Appending to the audit log; always the last that a write takes.</summary>
    Audit,
}
