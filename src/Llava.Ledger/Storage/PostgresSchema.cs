using System.Reflection;
using Llava.Ledger.Schema;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql;

namespace Llava.Ledger.Storage;

/// <summary>Creates the schema or brings it up to date, one process at a time.</summary>
internal sealed class PostgresSchema(PostgresAddress address, LedgerSql sql)
{
    // Waiting for another process that migrates a large ledger is not an error.
    private const int NoTimeout = 0;

    /// <summary>One row tells whether anything is to be done: cheaper by far than building EF Core's model, and it needs no right to change the schema.</summary>
    public async Task UpdateAsync(NpgsqlDataSource source)
    {
        await using (LedgerSession pooled = new(await source.OpenConnectionAsync(), sql))
        {
            if (await IsNewestAsync(pooled))
            {
                return;
            }
        }

        // Not pooled: whatever happens, the lock ends with the connection.
        NpgsqlConnection connection = new(address.WithoutPool(NoTimeout));
        await using LedgerSession alone = new(connection, sql);
        await connection.OpenAsync();
        await alone.Statement("take_turn_for_session").Set("@turn", (int)LedgerTurn.Migrate).ExecuteAsync(CancellationToken.None);
        if (!await IsNewestAsync(alone)) // another process may have been first
        {
            await using var context = PostgresLedgerContext.Open(connection);
            await context.Database.MigrateAsync();
        }
    }

    private static async Task<bool> IsNewestAsync(LedgerSession session)
    {
        try
        {
            return await session.Statement("newest_migration").FirstAsync(row => row.Text(0), CancellationToken.None) == NewestMigration();
        }
        catch (PostgresException missing) when (missing.SqlState == PostgresErrorCodes.UndefinedTable)
        {
            return false;
        }
    }

    private static string NewestMigration() => typeof(PostgresSchema).Assembly.GetTypes()
        .Where(type => type.GetCustomAttribute<DbContextAttribute>()?.ContextType == typeof(PostgresLedgerContext))
        .Select(type => type.GetCustomAttribute<MigrationAttribute>()?.Id)
        .Max()!;
}
