using System.Collections.Concurrent;
using System.Globalization;
using Llava.Contracts;
using Llava.Ledger.Chunks;
using Llava.Ledger.Results;
using Llava.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Llava.Ledger.Tests;

/// <summary>The server ends in the middle of work and comes back: nobody outside notices more than a pause.</summary>
public sealed class PostgresRestartTests() : LedgerFixture(new OwnServer())
{
    private PostgresServer Server => ((OwnServer)TestDatabase).Server;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Commits_that_were_acknowledged_are_there_once_and_work_goes_on_by_itself(bool isKilled)
    {
        const int Chunks = 400;
        var job = await QueueJobAsync(items: 4 * Chunks);
        ConcurrentBag<int> acknowledged = [];
        using SemaphoreSlim progress = new(0);
        await using var other = Open();

        var working = Enumerable.Range(0, 8).Select(worker => Task.Run(() => WorkAsync(worker % 2 == 0 ? Services : other, worker))).ToList();
        for (var restart = 0; restart < 2; restart++)
        {
            for (var chunk = 0; chunk < Chunks / 4; chunk++)
            {
                await progress.WaitAsync();
            }

            await (isKilled ? Server.KillAsync() : Server.StopAsync());
            await Server.StartAsync();
        }

        await Task.WhenAll(working);

        var results = await AllResultsAsync(job);
        Assert.Equal(Enumerable.Range(0, 4 * Chunks), results.Select(result => result.ItemNo));
        Assert.Equal(Enumerable.Range(0, Chunks), acknowledged.Order());
        Assert.All(results, result => Assert.Equal((result.ItemNo / 4).ToString(CultureInfo.InvariantCulture), result.Result.Text));
        Assert.All(results, result => Assert.Equal(1, result.Attempts));
        Assert.Equal(1, await Ending.AdvanceAsync());

        async Task WorkAsync(IServiceProvider process, int worker)
        {
            var (leases, writer) = (process.GetRequiredService<ChunkLeases>(), process.GetRequiredService<ResultWriter>());
            for (var chunk = worker; chunk < Chunks; chunk += 8)
            {
                var claimed = (await leases.ClaimAsync(job, chunk, 0, $"w{worker}"))!;
                var text = chunk.ToString(CultureInfo.InvariantCulture);
                Assert.True(await writer.CommitAsync(claimed.Lease, [.. claimed.Items.Select(item => Answer(item.ItemNo, text))], completesChunk: true));
                acknowledged.Add(chunk);
                progress.Release();
            }
        }
    }

    [Fact]
    public async Task A_ledger_that_is_opened_before_its_server_runs_waits_for_it()
    {
        await Server.StopAsync();
        await using var early = Open();
        var prepared = early.GetRequiredService<LedgerSetup>().PrepareAsync();

        await Server.StartAsync();

        await prepared;
        Assert.True(await early.GetRequiredService<LedgerSetup>().IsReachableAsync());
    }

    [Fact]
    public async Task A_ledger_whose_server_was_away_too_long_works_again_when_it_is_back()
    {
        await using var impatient = Open();
        impatient.GetRequiredService<LedgerOptions>().RetryFor = TimeSpan.Zero;
        var jobs = impatient.GetRequiredService<Jobs.JobReader>();
        await Server.StopAsync();
        await Assert.ThrowsAsync<LedgerUnreachableException>(() => jobs.ListAsync(new()));

        await Server.StartAsync();

        Assert.Empty(await jobs.ListAsync(new()));
    }

    /// <summary>A server that the test may end.</summary>
    private sealed class OwnServer : TestDatabase
    {
        public PostgresServer Server { get; } = new();

        public override async Task CreateAsync()
        {
            await Server.StartAsync();
            await Server.CreateDatabaseAsync("ledger");
        }

        public override void Configure(LedgerOptions options) => options.Location = Server.ConnectionString("ledger");

        public override async Task DropAsync() => await Server.DisposeAsync();
    }
}
