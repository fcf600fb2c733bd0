using Llava.Ledger.Chunks;
using Llava.Ledger.Results;
using Npgsql;

namespace Llava.DistributedTests;

/// <summary>An item that ends every process that works on it.</summary>
public sealed class PoisonTests
{
    private const string Model = "null-200ms";
    private const int Items = 64;
    private const int Poison = 41;

    [Fact]
    public async Task An_item_that_kills_its_consumers_is_failed_alone()
    {
        await using var cluster = await Cluster.StartAsync(Model);
        var job = await cluster.SubmitAsync(Model, Items);
        using CancellationTokenSource over = new();
        var killing = KillWhoeverTakesItAsync(cluster, over.Token);

        var results = await cluster.WaitForResultsAsync(job, Items);
        await over.CancelAsync();
        var kills = await killing;

        Assert.Equal([Poison], results.Where(result => result.Result.Failure?.Code == LeaseSweep.PoisonCode).Select(result => result.ItemNo));
        Assert.Equal(Items - 1, results.Count(result => result.Result.Text == $"question {result.ItemNo}"));
        // Three attempts of its chunk, then one on each half that still holds others, and what is left of three on the item alone.
        Assert.InRange(kills, 3, 3 + 4 + 2);
    }

    private static async Task<int> KillWhoeverTakesItAsync(Cluster cluster, CancellationToken cancellation)
    {
        var kills = 0;
        var last = "";
        await using var ledger = NpgsqlDataSource.Create(cluster.Database.ConnectionString("llava"));
        await using var owner = ledger.CreateCommand($"select owner from llava.chunks where state = 'leased' and first_item <= {Poison} and first_item + item_count > {Poison}");
        while (!cancellation.IsCancellationRequested)
        {
            if (await owner.ExecuteScalarAsync(CancellationToken.None) is string worker && worker != last && cluster.Find(worker) is { } consumer)
            {
                last = worker;
                kills++;
                await consumer.KillAsync();
                consumer.Start();
            }
        }

        return kills;
    }
}
