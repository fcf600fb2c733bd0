namespace Llava.Ledger.Storage;

/// <summary>What differs between the databases: how to read, how to write together, how to fill fast, how to bring the schema up to date.</summary>
internal abstract class LedgerDatabase : IAsyncDisposable
{
    /// <summary>Runs <paramref name="read"/> on a session of its own that sees what was committed before.</summary>
    public abstract Task<T> ReadAsync<T>(Func<LedgerSession, CancellationToken, Task<T>> read, CancellationToken cancellation);

    /// <summary>Runs <paramref name="write"/> in a transaction, all or nothing; the task ends once it is committed.</summary>
    /// <remarks>Writes that wait at the same moment may share a commit; one that throws undoes only itself.</remarks>
    public abstract Task<T> WriteAsync<T>(Func<LedgerSession, CancellationToken, Task<T>> write, CancellationToken cancellation);

    /// <summary>Inserts new items; those must not be there yet.</summary>
    public abstract Task InsertItemsAsync(LedgerSession session, IReadOnlyList<ItemDraft> items, CancellationToken cancellation);

    /// <summary>Inserts results, leaving those alone that are there already.</summary>
    public abstract Task InsertResultsAsync(LedgerSession session, IReadOnlyList<ResultDraft> results, CancellationToken cancellation);

    /// <summary>Creates the schema or brings an older one up to date, once; reads and writes do so by themselves.</summary>
    public abstract Task PrepareAsync();

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();
}
