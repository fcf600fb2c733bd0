using Llava.Contracts.States;
using Llava.Ledger.Chunks;

namespace Llava.Ledger.Tests;

/// <summary>What is kept of claims that did not end well. The same on every database.</summary>
public abstract class AttemptTests(TestDatabase database) : LedgerFixture(database)
{
    private AttemptHistory History => Get<AttemptHistory>();

    [Fact]
    public async Task A_chunk_that_ends_well_leaves_nothing()
    {
        var job = await QueueJobAsync(items: 4);

        await AnswerAsync((await ClaimAsync(job, 0))!);

        Assert.Empty(await History.OfJobAsync(job));
    }

    [Fact]
    public async Task Each_unhappy_end_of_a_claim_is_kept_with_its_worker_times_and_reason()
    {
        var job = await QueueJobAsync(items: 4);
        var start = Clock.GetUtcNow();
        await Leases.ReleaseAsync((await AfterASecondAsync("drained", attempt: 0))!, countAttempt: false);
        await Leases.ReleaseAsync((await AfterASecondAsync("failed", attempt: 0))!, countAttempt: true, "The engine\0 tripped.");
        await AfterASecondAsync("silent", attempt: 1);
        Clock.Advance(Options.Lease);
        await Sweep.SweepAsync();
        var died = Clock.GetUtcNow();
        await AfterASecondAsync("dead", attempt: 2);
        await Sweep.EndLeasesOfAsync("dead");

        Assert.Equal(
            [
                new(job, 0, 1, AttemptEnding.GivenBack, 1, 0, 4, "drained", start, start.AddSeconds(1), null),
                new(job, 0, 2, AttemptEnding.Failed, 1, 0, 4, "failed", start.AddSeconds(1), start.AddSeconds(2), "The engine\uFFFD tripped."),
                new(job, 0, 3, AttemptEnding.LeaseExpired, 2, 0, 4, "silent", start.AddSeconds(2), start.AddSeconds(3) + Options.Lease, null),
                new(job, 0, 4, AttemptEnding.WorkerDied, 3, 0, 4, "dead", died, died.AddSeconds(1), null),
                new ChunkAttempt(job, 0, 4, AttemptEnding.Halved, 3, 0, 4, null, died.AddSeconds(1), died.AddSeconds(1), "The engine\uFFFD tripped."),
            ],
            await History.OfJobAsync(job));

        async Task<ChunkLease?> AfterASecondAsync(string worker, int attempt)
        {
            var lease = await ClaimAsync(job, 0, attempt, worker);
            Clock.Advance(TimeSpan.FromSeconds(1));
            return lease;
        }
    }

    [Fact]
    public async Task The_history_of_an_item_follows_it_through_every_halving()
    {
        const int Poison = 5;
        var job = await QueueJobAsync(items: 8, chunkItems: 8);
        while ((await Dispatch.WaitingAsync(job, 1)) is [var chunk])
        {
            var claimed = (await Leases.ClaimAsync(job, chunk.ChunkNo, chunk.Attempt, "w"))!;
            await (claimed.Items.Any(item => item.ItemNo == Poison) ? Leases.ReleaseAsync(claimed.Lease, countAttempt: true, "It broke.") : AnswerAsync(claimed.Lease));
            Clock.Advance(TimeSpan.FromSeconds(1));
            await Sweep.SweepAsync();
        }

        var poison = await History.OfItemAsync(job, Poison);
        var innocent = await History.OfItemAsync(job, 0);

        Assert.Equal(
            [(0, 8, AttemptEnding.Failed), (0, 8, AttemptEnding.Failed), (0, 8, AttemptEnding.Failed), (0, 8, AttemptEnding.Halved), (4, 4, AttemptEnding.Failed), (4, 4, AttemptEnding.Halved), (4, 2, AttemptEnding.Failed), (4, 2, AttemptEnding.Halved), (5, 1, AttemptEnding.Failed), (5, 1, AttemptEnding.Failed)],
            poison.Select(attempt => (attempt.FirstItem, attempt.ItemCount, attempt.Ending)));
        Assert.Equal(poison.Take(4), innocent);
        Assert.Equal(poison, await History.OfJobAsync(job));
    }

    [Fact]
    public async Task Of_a_job_the_newest_thousand_are_kept_and_they_go_with_it()
    {
        var job = await QueueJobAsync(items: 1);
        var other = await QueueJobAsync(items: 1);
        await Leases.ReleaseAsync((await ClaimAsync(other, 0))!, countAttempt: false);
        for (var i = 0; i < 1003; i++)
        {
            await Leases.ReleaseAsync((await ClaimAsync(job, 0))!, countAttempt: false);
        }

        Assert.Equal(Enumerable.Range(4, 1000), (await History.OfJobAsync(job)).Select(attempt => attempt.Fence));
        Assert.Single(await History.OfJobAsync(other));

        await Control.CancelAsync(job);
        await Ending.AdvanceAsync();
        await Ending.AnnounceAsync(Assert.Single(await Ending.UnannouncedAsync()), _ => Task.CompletedTask);
        Clock.Advance(TimeSpan.FromDays(2));
        Assert.Equal(1, await Get<Jobs.JobRetention>().DeleteAsync(TimeSpan.FromDays(1)));

        Assert.Empty(await History.OfJobAsync(job));
        Assert.Single(await History.OfJobAsync(other));
    }

    [Fact]
    public async Task A_lease_that_was_lost_before_it_is_given_back_is_kept_once()
    {
        var job = await QueueJobAsync(items: 4);
        var lease = (await ClaimAsync(job, 0))!;
        Clock.Advance(Options.Lease + TimeSpan.FromMilliseconds(1));
        await Sweep.SweepAsync();

        await Leases.ReleaseAsync(lease, countAttempt: true, "late");

        Assert.Equal(AttemptEnding.LeaseExpired, Assert.Single(await History.OfJobAsync(job)).Ending);
    }
}

public sealed class SqliteAttemptTests() : AttemptTests(new SqliteFile());

public sealed class PostgresAttemptTests() : AttemptTests(new PostgresTestDatabase());
