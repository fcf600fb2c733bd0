using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace Llava.Ledger.Schema;

/// <summary>The schema on SQLite.</summary>
internal sealed class SqliteLedgerContext(DbContextOptions<SqliteLedgerContext> options) : LedgerContext(options)
{
    public static SqliteLedgerContext Open(string connectionString) =>
        new(new DbContextOptionsBuilder<SqliteLedgerContext>().UseSqlite(connectionString).Options);
}

/// <summary>Lets <c>dotnet ef migrations add Name --context SqliteLedgerContext --output-dir Migrations/Sqlite</c> build the model.</summary>
internal sealed class SqliteLedgerContextFactory : IDesignTimeDbContextFactory<SqliteLedgerContext>
{
    public SqliteLedgerContext CreateDbContext(string[] args) => SqliteLedgerContext.Open("Data Source=:memory:");
}
