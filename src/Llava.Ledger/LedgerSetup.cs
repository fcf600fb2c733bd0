using Llava.Ledger.Storage;

namespace Llava.Ledger;

/// <summary>Makes the ledger ready, and says whether it is.</summary>
public sealed class LedgerSetup
{
    private readonly LedgerDatabase _database;

    internal LedgerSetup(LedgerDatabase database) => _database = database;

    /// <summary>Creates the schema or brings it up to date now rather than with the first read or write.</summary>
    public Task PrepareAsync() => _database.PrepareAsync();

    /// <summary>Whether the ledger answers; throws what keeps it from answering.</summary>
    public Task<bool> IsReachableAsync(CancellationToken cancellation = default) =>
        _database.ReadAsync(async (session, token) => await session.Statement("newest_migration").FirstAsync(row => row.GetString(0), token) is not null, cancellation);
}
