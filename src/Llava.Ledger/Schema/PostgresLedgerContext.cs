using System.Data.Common;
using Llava.Ledger.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql;

namespace Llava.Ledger.Schema;

/// <summary>The schema on PostgreSQL.</summary>
internal sealed class PostgresLedgerContext(DbContextOptions<PostgresLedgerContext> options) : LedgerContext(options)
{
    public static PostgresLedgerContext Open(DbConnection connection) => new(new DbContextOptionsBuilder<PostgresLedgerContext>()
        .UseNpgsql(connection, npgsql => npgsql.MigrationsHistoryTable(HistoryRepository.DefaultTableName, PostgresAddress.Schema))
        .Options);

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasDefaultSchema(PostgresAddress.Schema);
        base.OnModelCreating(modelBuilder);

        // Results are recorded in the order of time: a few bytes per megabyte of rows find them again, and cost writers next to nothing.
        modelBuilder.Entity<ResultRow>().HasIndex(row => row.FinishedAt).HasMethod("brin");
    }
}

/// <summary>Lets <c>dotnet ef migrations add Name --context PostgresLedgerContext --output-dir Migrations/Postgres</c> build the model; no server is asked.</summary>
internal sealed class PostgresLedgerContextFactory : IDesignTimeDbContextFactory<PostgresLedgerContext>
{
    public PostgresLedgerContext CreateDbContext(string[] args) => PostgresLedgerContext.Open(new NpgsqlConnection());
}
