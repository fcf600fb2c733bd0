using System.Diagnostics.CodeAnalysis;
using Llava.Contracts.States;
using Llava.Ledger.Schema;
using Llava.Ledger.Storage;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Llava.Ledger.Tests;

public sealed class PostgresSchemaTests : IAsyncLifetime
{
    private readonly PostgresTestDatabase _database = new(isMigrated: false);

    public Task InitializeAsync() => _database.CreateAsync();

    public Task DisposeAsync() => _database.DropAsync();

    [Fact]
    public void The_migrations_are_up_to_date_with_the_model()
    {
        using var context = PostgresLedgerContext.Open(new NpgsqlConnection());

        Assert.False(context.Database.HasPendingModelChanges());
    }

    [Fact]
    public async Task Processes_that_migrate_the_same_database_at_the_same_moment_all_succeed()
    {
        var processes = Enumerable.Range(0, 4).Select(_ => PostgresTestDatabase.Open(_database.Location)).ToList();

        await Task.WhenAll(processes.Select(process => Task.Run(process.PrepareAsync)));

        foreach (var process in processes)
        {
            Assert.Equal(0, await process.ReadAsync((session, token) => session.Statement("count_unfinished_chunks").Set("@job", 1L).FirstAsync(row => row.GetInt32(0), token), default));
            await process.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_user_without_the_right_to_change_the_schema_can_use_it()
    {
        await using (var owner = PostgresTestDatabase.Open(_database.Location))
        {
            await owner.PrepareAsync();
        }

        var user = $"app_{Guid.NewGuid():n}";
        await ExecuteAsync($"""
            create role {user} login password 'p';
            grant usage on schema {PostgresAddress.Schema} to {user};
            grant select, insert, update, delete on all tables in schema {PostgresAddress.Schema} to {user};
            """);
        await using var app = PostgresTestDatabase.Open(new NpgsqlConnectionStringBuilder(_database.Location) { Username = user, Password = "p" }.ConnectionString);

        Assert.Equal(0, await app.WriteAsync((session, token) => session.Statement("delete_worker").Set("@id", "w").ExecuteAsync(token), default));
        await app.DisposeAsync();
        await ExecuteAsync($"drop owned by {user}; drop role {user}");
    }

    [Theory]
    [InlineData("insert into jobs (id, tenant, state, priority, model, request, item_count, created_at) values (1, '', @state, 0, '', '', 0, 0)", "jobs")]
    [InlineData("insert into chunks (job_id, chunk_no, first_item, item_count, tokens, state, attempts, fence) values (1, 0, 0, 0, 0, @state, 0, 0)", "chunks")]
    [InlineData("insert into results (job_id, item_no, outcome, prompt_tokens, completion_tokens, cached_tokens, queue_ms, prefill_ms, decode_ms, attempts, finished_at) values (1, 0, @state, 0, 0, 0, 0, 0, 0, 0, 0)", "results")]
    public async Task The_database_refuses_a_state_that_is_not_in_the_table(string insert, string table)
    {
        await using var database = PostgresTestDatabase.Open(_database.Location);
        await database.PrepareAsync();
        var names = table switch
        {
            "jobs" => JobStates.Table.States.Select(JobStates.Table.WireName),
            "chunks" => ChunkStates.Table.States.Select(ChunkStates.Table.WireName),
            _ => ItemOutcomes.Table.States.Select(ItemOutcomes.Table.WireName),
        };

        foreach (var name in names)
        {
            Assert.True(await AcceptsAsync(database, insert, name));
        }

        Assert.False(await AcceptsAsync(database, insert, "done-ish"));
        Assert.False(await AcceptsAsync(database, insert, ""));
    }

    /// <summary>Whether the row is let in; it is never kept.</summary>
    [SuppressMessage("Security", "CA2100", Justification = "The test's own text.")]
    private static async Task<bool> AcceptsAsync(PostgresDatabase database, string insert, string state)
    {
        await using var connection = await database.Source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using NpgsqlCommand command = new(insert, connection, transaction);
        command.Parameters.AddWithValue("state", state);
        try
        {
            return await command.ExecuteNonQueryAsync() == 1;
        }
        catch (PostgresException refused) when (refused.SqlState == PostgresErrorCodes.CheckViolation)
        {
            return false;
        }
    }

    [SuppressMessage("Security", "CA2100", Justification = "The test's own text.")]
    private async Task ExecuteAsync(string sql)
    {
        await using NpgsqlConnection connection = new(_database.Location);
        await connection.OpenAsync();
        await using NpgsqlCommand command = new(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
