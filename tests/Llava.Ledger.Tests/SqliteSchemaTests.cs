using System.Diagnostics.CodeAnalysis;
using Llava.Contracts.States;
using Llava.Ledger.Schema;
using Llava.Ledger.Storage;
using Llava.Testing;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Llava.Ledger.Tests;

public sealed class SqliteSchemaTests : IDisposable
{
    private const string ScriptHeader = """
        -- All migrations at once, for a file that has none yet: spares the first start EF Core's model. A test holds it to the migrations
        -- and writes it anew where LLAVA_WRITE_SCHEMA is 1.

        """;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("llava-schema-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void The_script_for_a_new_file_is_what_the_migrations_make()
    {
        using var context = SqliteLedgerContext.Open("Data Source=:memory:");
        var migrations = context.GetService<IMigrator>().GenerateScript(options: MigrationsSqlGenerationOptions.NoTransactions);

        if (Environment.GetEnvironmentVariable("LLAVA_WRITE_SCHEMA") == "1")
        {
            File.WriteAllText(Repository.Path("src", "Llava.Ledger", "Sql", "Sqlite", "create.sql"), ScriptHeader + migrations.Trim() + "\n");
        }

        Assert.Equal(Statements(migrations), Statements(new LedgerSql("Sqlite")["create"]));
    }

    [Fact]
    public void The_migrations_are_up_to_date_with_the_model()
    {
        using var context = SqliteLedgerContext.Open("Data Source=:memory:");

        Assert.False(context.Database.HasPendingModelChanges());
    }

    [Fact]
    public async Task A_file_that_only_has_older_migrations_is_brought_up_to_date()
    {
        var path = Path.Combine(_folder.FullName, "old.db");
        await using (SqliteConnection old = new($"Data Source={path};Pooling=false"))
        {
            await old.OpenAsync();
            await using var command = old.CreateCommand();
            command.CommandText = """create table "__EFMigrationsHistory" ("MigrationId" text not null primary key, "ProductVersion" text not null)""";
            await command.ExecuteNonQueryAsync();
        }

        await using SqliteDatabase database = new(new() { Location = path });

        Assert.Equal(0, await database.ReadAsync((session, token) => session.Statement("count_unfinished_chunks").Set("@job", 1L).FirstAsync(row => row.GetInt32(0), token), default));
    }

    [Fact]
    public async Task Processes_that_create_the_same_file_at_the_same_moment_both_succeed()
    {
        LedgerOptions options = new() { Location = Path.Combine(_folder.FullName, "new.db") };
        var databases = Enumerable.Range(0, 4).Select(_ => new SqliteDatabase(options)).ToList();

        await Task.WhenAll(databases.Select(database => Task.Run(database.PrepareAsync)));

        foreach (var database in databases)
        {
            await database.DisposeAsync();
        }
    }

    [Theory]
    [InlineData("jobs", "state")]
    [InlineData("chunks", "state")]
    [InlineData("results", "outcome")]
    [InlineData("training_runs", "state")]
    public async Task The_database_refuses_a_state_that_is_not_in_the_table(string table, string column)
    {
        var path = Path.Combine(_folder.FullName, "states.db");
        await using (SqliteDatabase database = new(new() { Location = path }))
        {
            await database.PrepareAsync();
        }

        await using SqliteConnection connection = new($"Data Source={path};Pooling=false");
        await connection.OpenAsync();
        var names = table switch
        {
            "jobs" => JobStates.Table.States.Select(JobStates.Table.WireName),
            "chunks" => ChunkStates.Table.States.Select(ChunkStates.Table.WireName),
            "training_runs" => TrainingRunStates.Table.States.Select(TrainingRunStates.Table.WireName),
            _ => ItemOutcomes.Table.States.Select(ItemOutcomes.Table.WireName),
        };
        Assert.All(names, name => Assert.True(Accepts(connection, table, column, name)));
        Assert.False(Accepts(connection, table, column, "done-ish"));
        Assert.False(Accepts(connection, table, column, ""));
    }

    /// <summary>Whether the check constraint lets the value in; the row itself is never kept.</summary>
    [SuppressMessage("Security", "CA2100", Justification = "The test's own names.")]
    private static bool Accepts(SqliteConnection connection, string table, string column, string value)
    {
        using var command = connection.CreateCommand();
        command.CommandText = $"select sql from sqlite_master where type = 'table' and name = '{table}'";
        var check = ((string)command.ExecuteScalar()!).Split('\n').Single(line => line.Contains("CHECK", StringComparison.Ordinal)).Trim();
        command.CommandText = $"create temp table probe ({column} text, {check})";
        command.ExecuteNonQuery();
        try
        {
            command.CommandText = $"insert into probe values ('{value}')";
            return command.ExecuteNonQuery() == 1;
        }
        catch (SqliteException refused) when (refused.SqliteErrorCode == 19)
        {
            return false;
        }
        finally
        {
            command.CommandText = "drop table probe";
            command.ExecuteNonQuery();
        }
    }

    private static IEnumerable<string> Statements(string script) => script
        .Split('\n')
        .Select(line => line.Trim('\uFEFF', '\r', ' '))
        .Where(line => line.Length > 0 && !line.StartsWith("--", StringComparison.Ordinal));
}
