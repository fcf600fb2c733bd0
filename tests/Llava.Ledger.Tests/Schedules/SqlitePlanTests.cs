using System.Diagnostics.CodeAnalysis;
using Llava.Ledger.Storage;
using Microsoft.Data.Sqlite;

namespace Llava.Ledger.Tests.Schedules;

public sealed class SqlitePlanTests
{
    /// <summary>A schedule may know a million keys, of which a batch asks for some hundreds.</summary>
    [Fact]
    [SuppressMessage("Security", "CA2100", Justification = "The ledger's own statements.")]
    public async Task Known_keys_are_looked_up_one_by_one()
    {
        LedgerSql sql = new("Sqlite");
        await using SqliteConnection connection = new("Data Source=:memory:");
        await connection.OpenAsync();
        await using var create = connection.CreateCommand();
        create.CommandText = sql["create"];
        await create.ExecuteNonQueryAsync();
        await using var explain = connection.CreateCommand();
        explain.CommandText = $"explain query plan {sql["list_known_keys"]}";
        explain.Parameters.AddWithValue("@keys", "[1]");
        explain.Parameters.AddWithValue("@job", 1L);

        List<string> steps = [];
        await using var plan = await explain.ExecuteReaderAsync();
        while (await plan.ReadAsync())
        {
            steps.Add(plan.GetString(3));
        }

        Assert.Contains(steps, step => step.Contains("(schedule_id=? AND key=?)", StringComparison.Ordinal));
    }
}
