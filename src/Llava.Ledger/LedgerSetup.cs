using Llava.Ledger.Storage;

namespace Llava.Ledger;

/// <summary>Makes the ledger ready.</summary>
public sealed class LedgerSetup
{
    private readonly LedgerDatabase _database;

    internal LedgerSetup(LedgerDatabase database) => _database = database;

    /// <summary>Creates the schema or brings it up to date. Takes about a millisecond when there is nothing to do.</summary>
    public Task PrepareAsync(CancellationToken cancellation = default) => _database.MigrateAsync(cancellation);

    /// <summary>Whether the ledger answers; throws what keeps it from answering.</summary>
    public Task<bool> IsReachableAsync(CancellationToken cancellation = default) =>
        _database.ReadAsync(async (session, token) => await session.Statement("newest_migration").FirstAsync(row => row.GetString(0), token) is not null, cancellation);
}
