using Llava.Contracts;
using Llava.Contracts.States;
using Llava.Ledger.Chunks;
using Llava.Ledger.Results;
using Microsoft.Extensions.DependencyInjection;

namespace Llava.Ledger.Tests;

/// <summary>Claiming, fencing, renewing, giving back, and recording results. The same on every database.</summary>
public abstract class ChunkTests(TestDatabase database) : LedgerFixture(database)
{
    [Fact]
    public async Task A_claim_gives_the_items_without_a_result_in_order()
    {
        var job = await QueueJobAsync(items: 6, chunkItems: 4);

        var chunk = (await Leases.ClaimAsync(job, 1, 0, "w"))!;

        Assert.Equal((4, 2, 1, 1), (chunk.Lease.FirstItem, chunk.Lease.ItemCount, chunk.Lease.Attempt, chunk.Lease.Fence));
        Assert.Equal([4, 5], chunk.Items.Select(item => item.ItemNo));
        Assert.Equal(["4.jpg"], chunk.Items[0].Images);
        Assert.Equal("item-4", chunk.Items[0].CustomId);
    }

    [Fact]
    public async Task A_chunk_that_is_held_or_done_is_not_claimed()
    {
        var job = await QueueJobAsync(items: 4);
        var lease = (await ClaimAsync(job, 0))!;

        Assert.Null(await ClaimAsync(job, 0, attempt: 0, owner: "other"));
        Assert.Null(await ClaimAsync(job, 0, attempt: 1, owner: "other"));
        Assert.True(await AnswerAsync(lease));
        Assert.Null(await ClaimAsync(job, 0, attempt: 1, owner: "other"));
        Assert.Null(await ClaimAsync(job, 9));
        Assert.Null(await ClaimAsync(new(1), 0));
    }

    [Fact]
    public async Task Four_claimers_of_two_processes_never_hold_the_same_chunk()
    {
        const int Count = 200;
        var job = await QueueJobAsync(items: Count, chunkItems: 1);
        await using var secondProcess = Open();
        ChunkLeases[] processes = [Leases, secondProcess.GetRequiredService<ChunkLeases>()];

        var claims = await Task.WhenAll(Enumerable.Range(0, 4).Select(claimer => Task.Run(async () =>
        {
            List<int> mine = [];
            for (var chunk = 0; chunk < Count; chunk++)
            {
                if (await processes[claimer % 2].ClaimAsync(job, chunk, 0, $"w{claimer}") is not null)
                {
                    mine.Add(chunk);
                }
            }

            return mine;
        })));

        Assert.Equal(Enumerable.Range(0, Count), claims.SelectMany(mine => mine).Order());
    }

    [Fact]
    public async Task A_lease_holds_to_its_last_millisecond_and_not_beyond()
    {
        var job = await QueueJobAsync(items: 4);
        var lease = (await ClaimAsync(job, 0))!;

        Clock.Advance(Options.Lease);
        Assert.Equal(0, (await Sweep.SweepAsync()).ExpiredLeases);
        Clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(1, (await Sweep.SweepAsync()).ExpiredLeases);

        var next = (await ClaimAsync(job, 0, attempt: 1, owner: "next"))!;
        Assert.Equal((2, 2), (next.Attempt, next.Fence));
        Assert.False(await AnswerAsync(lease, "late"));
        Assert.Empty(await AllResultsAsync(job));
        Assert.True(await AnswerAsync(next, "in time"));
        Assert.All(await AllResultsAsync(job), result => Assert.Equal(("in time", "next", 2), (result.Result.Text, result.Worker, result.Attempts)));
    }

    [Fact]
    public async Task Renewing_extends_the_lease_and_says_what_stands()
    {
        var held = await QueueJobAsync(items: 4);
        var paused = await QueueJobAsync(items: 4);
        var lost = await QueueJobAsync(items: 4);
        List<ChunkLease> leases = [(await ClaimAsync(held, 0))!, (await ClaimAsync(paused, 0))!, (await ClaimAsync(lost, 0))!];
        await Control.PauseAsync(paused);
        await Leases.ReleaseAsync(leases[2], countAttempt: false);
        Clock.Advance(Options.Lease / 2);

        Assert.Equal([LeaseStanding.Held, LeaseStanding.Stopped, LeaseStanding.Lost], await Leases.RenewAsync(leases));

        Clock.Advance(Options.Lease);
        Assert.Equal(0, (await Sweep.SweepAsync()).ExpiredLeases);
    }

    [Fact]
    public async Task A_chunk_given_back_uncounted_starts_over_and_its_old_lease_is_worth_nothing()
    {
        var job = await QueueJobAsync(items: 4);
        var first = (await ClaimAsync(job, 0))!;
        await Leases.ReleaseAsync(first, countAttempt: false);

        // The same owner claims again with the same attempt: only the fence tells the two apart.
        var second = (await ClaimAsync(job, 0))!;

        Assert.Equal((first.Attempt, first.Owner), (second.Attempt, second.Owner));
        Assert.False(await AnswerAsync(first));
        Assert.True(await AnswerAsync(second));
    }

    [Fact]
    public async Task Partial_results_stay_and_only_the_rest_is_asked_for_again()
    {
        var job = await QueueJobAsync(items: 4);
        var lease = (await ClaimAsync(job, 0))!;
        Assert.True(await Writer.CommitAsync(lease, [Answer(1, "kept")], completesChunk: false));
        await Leases.ReleaseAsync(lease, countAttempt: true, "it broke");

        var again = (await Leases.ClaimAsync(job, 0, 1, "w"))!;
        Assert.Equal([0, 2, 3], again.Items.Select(item => item.ItemNo));
        Assert.True(await Writer.CommitAsync(again.Lease, [Answer(0), Answer(1, "not kept"), Answer(2), Answer(3)], completesChunk: true));

        Assert.Equal(["a red ball", "kept", "a red ball", "a red ball"], (await AllResultsAsync(job)).Select(result => result.Result.Text));
    }

    [Fact]
    public async Task Many_results_among_which_some_are_there_already_leave_those_as_they_are()
    {
        const int Items = 300;
        var job = await QueueJobAsync(Items, chunkItems: Items);
        var lease = (await ClaimAsync(job, 0))!;
        Assert.True(await Writer.CommitAsync(lease, [Answer(7, "kept")], completesChunk: false));

        Assert.True(await Writer.CommitAsync(lease, [.. Enumerable.Range(0, Items).Select(item => Answer(item))], completesChunk: true));

        Assert.Equal(Enumerable.Range(0, Items).Select(item => item == 7 ? "kept" : "a red ball"), (await AllResultsAsync(job)).Select(result => result.Result.Text));
    }

    [Fact]
    public async Task Commits_that_share_a_transaction_stand_and_fall_alone()
    {
        var job = await QueueJobAsync(items: 400, chunkItems: 4);
        var leases = new ChunkLease[100];
        for (var chunk = 0; chunk < leases.Length; chunk++)
        {
            leases[chunk] = (await ClaimAsync(job, chunk))!;
        }

        var held = await Task.WhenAll(leases.Select(lease => AnswerAsync(lease.ChunkNo % 3 == 0 ? lease with { Fence = 9 } : lease)));

        Assert.Equal(leases.Select(lease => lease.ChunkNo % 3 != 0), held);
        Assert.Equal(Enumerable.Range(0, 400).Where(item => item / 4 % 3 != 0), (await AllResultsAsync(job)).Select(result => result.ItemNo));
    }

    [Fact]
    public async Task A_write_that_throws_undoes_itself_and_no_other()
    {
        var good = Submission.SubmitAsync(Request());
        var bad = Database.WriteAsync<int>(
            async (session, token) =>
            {
                await session.Statement("insert_job").Set("@job", 5L).Set("@tenant", "t").Set("@priority", 0).Set("@model", "m").Set("@request", "{}").Set("@key", null).Set("@now", 0L).Set("@expires", null).Set("@trace", null).Set("@open", false).ExecuteAsync(token);
                throw new InvalidOperationException("on purpose");
            },
            default);
        var alsoGood = Submission.SubmitAsync(Request());

        await Assert.ThrowsAsync<InvalidOperationException>(() => bad);
        // Both ids may be of the same millisecond, and then either may be the smaller.
        JobId[] kept = [(await good).Id, (await alsoGood).Id];
        Assert.Equal(kept.Order(), (await Jobs.ListAsync(new())).Select(job => job.Id).Order());
    }

    [Fact]
    public async Task Results_are_read_by_page_outcome_and_cause()
    {
        var job = await QueueJobAsync(items: 10, chunkItems: 10);
        var lease = (await ClaimAsync(job, 0))!;
        await Writer.CommitAsync(lease, [.. Enumerable.Range(0, 10).Select(item => item % 3 == 0 ? FinishedItem.Failed(item, new(item == 0 ? "odd" : "usual", "why")) : Answer(item))], completesChunk: true, "r2");

        Assert.Equal([3, 4], (await Results.PageAsync(job, new() { After = 2, Limit = 2 })).Select(result => result.ItemNo));
        Assert.Equal([0, 3, 6, 9], (await Results.PageAsync(job, new() { Outcome = ItemOutcome.Failed })).Select(result => result.ItemNo));
        Assert.Equal([3, 6, 9], (await Results.PageAsync(job, new() { ErrorCode = "usual" })).Select(result => result.ItemNo));
        Assert.Equal([new ErrorCount("usual", 3, 3), new ErrorCount("odd", 1, 0)], await Results.ErrorsByCauseAsync(job));
        Assert.Null(await Results.FindAsync(job, 10));
        Assert.Equivalent(
            new ItemResult { ItemNo = 1, CustomId = "item-1", Images = ["1.jpg"], Result = Answer(1), Worker = "w", ModelRevision = "r2", Attempts = 1, QueuedAt = Clock.GetUtcNow(), ClaimedAt = Clock.GetUtcNow(), FinishedAt = Clock.GetUtcNow() },
            await Results.FindAsync(job, 1), strict: true);
    }

    [Fact]
    public async Task A_result_tells_when_its_item_went_through_each_step()
    {
        var job = await QueueJobAsync(items: 3);
        var queued = Clock.GetUtcNow();
        await PublishAsync(await Dispatch.WaitingAsync(job, 1));
        Clock.Advance(TimeSpan.FromSeconds(2));
        var lease = (await ClaimAsync(job, 0))!;
        var claimed = Clock.GetUtcNow();
        Clock.Advance(TimeSpan.FromSeconds(5));
        await Writer.CommitAsync(lease, [Answer(0) with { Timings = new(100.4, 20, 300, 4000) }, Answer(1) with { Timings = null }, FinishedItem.Failed(2, new("odd", "why"))], completesChunk: true);

        Assert.Equal(
            new ItemTimeline(queued, claimed, new(100.4, 20, 300, 4000), claimed.AddSeconds(5)),
            (await Results.FindAsync(job, 0))!.Timeline);
        Assert.Equal(
            [100, 120, 420, 4420],
            ((DateTimeOffset?[])[.. Steps((await Results.FindAsync(job, 0))!.Timeline!)]).Select(step => (step!.Value - claimed).TotalMilliseconds));
        for (var item = 1; item < 3; item++)
        {
            var timeline = (await Results.FindAsync(job, item))!.Timeline!;
            Assert.Equal((queued, claimed, claimed.AddSeconds(5)), (timeline.QueuedAt, timeline.ClaimedAt, timeline.WrittenAt));
            Assert.All(Steps(timeline), Assert.Null);
        }

        static IEnumerable<DateTimeOffset?> Steps(ItemTimeline timeline) => [timeline.PreparedAt, timeline.PrefillAt, timeline.FirstTokenAt, timeline.LastTokenAt];
    }

    [Fact]
    public async Task An_item_that_was_never_claimed_has_no_timeline()
    {
        var job = await QueueJobAsync(items: 1);
        await Control.CancelAsync(job);
        await Ending.AdvanceAsync();

        Assert.Null((await Results.FindAsync(job, 0))!.Timeline);
    }

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("a cat 🐈 says 'miau', and\n\"purrs\"")]
    public async Task An_answer_is_read_as_it_was_written(string? text)
    {
        var job = await QueueJobAsync(items: 1);
        await Writer.CommitAsync((await ClaimAsync(job, 0))!, [Answer(0) with { Text = text }], completesChunk: true);

        Assert.Equal(text, (await Results.FindAsync(job, 0))!.Result.Text);
    }

    [Fact]
    public async Task What_waits_is_offered_until_it_is_published_and_again_when_the_message_seems_lost()
    {
        var job = await QueueJobAsync(items: 8);
        var waiting = await Dispatch.WaitingAsync(job, 10);
        Assert.Equal([0, 1], waiting.Select(chunk => chunk.ChunkNo));

        Assert.Equal(0, Assert.Single(await Dispatch.JobsAsync(Model, 1)).FirstWaiting);
        await PublishAsync(waiting[..1]);
        Assert.Equal(1, Assert.Single(await Dispatch.JobsAsync(Model, 1)).FirstWaiting);
        await PublishAsync(waiting);
        Assert.Empty(await Dispatch.WaitingAsync(job, 10));
        var dispatchable = Assert.Single(await Dispatch.JobsAsync(Model, 1));
        Assert.Equal((8, 4, 800, null), (dispatchable.OutstandingItems, dispatchable.OutstandingExpressItems, dispatchable.OutstandingTokens, dispatchable.FirstWaiting));

        Clock.Advance(Options.RepublishAfter);
        Assert.Equal(0, (await Sweep.SweepAsync()).Republished);
        Clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(2, (await Sweep.SweepAsync()).Republished);
        Assert.Equal(2, (await Dispatch.WaitingAsync(job, 10)).Count);
    }

    [Fact]
    public async Task What_a_dead_process_published_can_be_forgotten_at_once()
    {
        var job = await QueueJobAsync(items: 8);
        await PublishAsync(await Dispatch.WaitingAsync(job, 10));
        var claimed = (await ClaimAsync(job, 0))!;

        Assert.Equal(1, await Dispatch.ForgetPublishedAsync());

        Assert.Equal([1], (await Dispatch.WaitingAsync(job, 10)).Select(chunk => chunk.ChunkNo));
        Assert.True(await AnswerAsync(claimed));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_chunk_that_is_claimed_and_given_back_while_its_message_is_sent_waits_for_another(bool countAttempt)
    {
        var job = await QueueJobAsync(items: 4);
        var waiting = await Dispatch.WaitingAsync(job, 1);
        await Leases.ReleaseAsync((await ClaimAsync(job, 0))!, countAttempt);

        await PublishAsync(waiting);

        Assert.Equal(countAttempt ? 1 : 0, Assert.Single(await Dispatch.WaitingAsync(job, 1)).Attempt);
    }

    [Fact]
    public async Task The_poison_item_ends_alone_and_no_innocent_one_with_it()
    {
        const int Poison = 11;
        var job = await QueueJobAsync(items: 32, chunkItems: 16);
        var crashes = 0;

        // A worker that dies with every chunk that holds the poison item, as kill -9 would have it.
        while ((await Dispatch.WaitingAsync(job, 1)) is [var chunk])
        {
            Assert.InRange(crashes, 0, 30);
            var claimed = (await Leases.ClaimAsync(job, chunk.ChunkNo, chunk.Attempt, "w"))!;
            if (claimed.Items.Any(item => item.ItemNo == Poison))
            {
                crashes++;
                Clock.Advance(Options.Lease + TimeSpan.FromMilliseconds(1));
                await Sweep.SweepAsync();
            }
            else
            {
                await AnswerAsync(claimed.Lease);
            }
        }

        await Ending.AdvanceAsync();
        Assert.Equal(JobState.Finalizing, (await Jobs.ReadAsync(job)).State);
        var results = await AllResultsAsync(job);
        Assert.Equal(Enumerable.Range(0, 32), results.Select(result => result.ItemNo));
        Assert.Equal([Poison], results.Where(result => result.Result.Failure?.Code == LeaseSweep.PoisonCode).Select(result => result.ItemNo));
        Assert.Equal(31, results.Count(result => result.Result.Outcome == ItemOutcome.Succeeded));

        // 3 on the chunk, 1 on each half that still holds others (8, 4, 2), 2 more on the item alone.
        Assert.Equal(3 + 3 + 2, crashes);
    }

    [Fact]
    public async Task The_leases_of_a_dead_worker_end_at_once()
    {
        var job = await QueueJobAsync(items: 8);
        await ClaimAsync(job, 0, owner: "dead");
        var living = (await ClaimAsync(job, 1, owner: "living"))!;

        await Sweep.EndLeasesOfAsync("dead");

        Assert.Equal([0], (await Dispatch.WaitingAsync(job, 10)).Select(chunk => chunk.ChunkNo));
        Assert.True(await AnswerAsync(living));
    }
}

public sealed class SqliteChunkTests() : ChunkTests(new SqliteFile());

public sealed class PostgresChunkTests() : ChunkTests(new PostgresTestDatabase());
