using Llava.Contracts.States;
using Llava.Ledger.Expansion;
using Llava.Ledger.Workers;

namespace Llava.Ledger.Tests;

/// <summary>Taking items in, workers, and deleting what is over. The same on every database.</summary>
public abstract class ExpansionTests(TestDatabase database) : LedgerFixture(database)
{
    [Fact]
    public async Task Items_position_and_chunks_are_taken_in_together()
    {
        var (job, _) = await Submission.SubmitAsync(Request());
        Assert.True(await Expansion.AppendAsync(job, 0, Chunks(0, 8, 4), "at 8"));
        await RestartAsync();

        var waiting = Assert.Single(await Expansion.WaitingAsync());
        Assert.Equal((8, "at 8"), (waiting.ItemCount, waiting.SourcePosition));

        Assert.True(await Expansion.AppendAsync(job, 8, Chunks(8, 2, 4), "at 10"));
        Assert.True(await Expansion.FinishAsync(job));
        Assert.Equal(JobState.Queued, (await Jobs.ReadAsync(job)).State);
        Assert.Equal([(0, 4), (1, 4), (2, 2)], (await Dispatch.WaitingAsync(job, 10)).Select(chunk => (chunk.ChunkNo, chunk.ItemCount)));
    }

    [Fact]
    public async Task An_expansion_that_another_went_on_with_adds_nothing()
    {
        var (job, _) = await Submission.SubmitAsync(Request());
        Assert.True(await Expansion.AppendAsync(job, 0, Chunks(0, 4, 4), "4"));

        Assert.False(await Expansion.AppendAsync(job, 0, Chunks(0, 4, 4), "4"));

        Assert.Equal(4, (await Jobs.ReadAsync(job)).ItemCount);
    }

    [Fact]
    public async Task Rejected_items_have_their_result_at_once_and_are_never_handed_out()
    {
        var (job, _) = await Submission.SubmitAsync(Request());
        ExpandedItem bad = Item(1) with { Rejection = new("invalid_line", "Line 2 is no JSON.") };
        await Expansion.AppendAsync(job, 0, [new([Item(0), bad], 200), new([bad], 0)], "3");
        await Expansion.FinishAsync(job);

        Assert.Equal([1, 2], (await AllResultsAsync(job)).Select(result => result.ItemNo));
        Assert.Equal([0], (await Dispatch.WaitingAsync(job, 10)).Select(chunk => chunk.ChunkNo));
        Assert.Equal([0], (await Leases.ClaimAsync(job, 0, 0, "w"))!.Items.Select(item => item.ItemNo));
        Assert.Equal(2, (await Jobs.ProgressAsync(job)).Failed);
    }

    [Fact]
    public async Task A_job_without_a_usable_item_fails_and_says_why()
    {
        var (rejected, _) = await Submission.SubmitAsync(Request());
        await Expansion.AppendAsync(rejected, 0, [new([Item(0) with { Rejection = new("invalid_line", "Line 1 is no JSON.") }], 0)], "1");
        await Expansion.FinishAsync(rejected);
        var (empty, _) = await Submission.SubmitAsync(Request());
        await Expansion.FinishAsync(empty);

        Assert.Equal((JobState.Failed, "no_usable_item"), ((await Jobs.ReadAsync(rejected)).State, (await Jobs.ReadAsync(rejected)).Failure!.Code));
        Assert.Equal((JobState.Failed, "empty_source"), ((await Jobs.ReadAsync(empty)).State, (await Jobs.ReadAsync(empty)).Failure!.Code));
        Assert.Equal(1, (await Jobs.ProgressAsync(rejected)).Failed);
    }

    [Fact]
    public async Task A_worker_lives_as_long_as_its_heart_beats()
    {
        WorkerRecord worker = new()
        {
            Id = "w",
            Host = "here",
            ProcessId = 7,
            ProcessStart = TimeSpan.FromSeconds(7),
            Models = [new("scenes", "r1", 32)],
        };
        await Workers.HeartbeatAsync(worker);
        var first = Clock.GetUtcNow();
        Clock.Advance(Workers.Expiry);
        Assert.Equivalent(worker with { RegisteredAt = first, HeartbeatAt = first }, Assert.Single(await Workers.LiveAsync()), strict: true);

        Clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Empty(await Workers.LiveAsync());
        Assert.Single(await Workers.ListAsync());

        await Workers.HeartbeatAsync(worker with { Draining = true });
        Assert.True(Assert.Single(await Workers.LiveAsync()).Draining);
        await Workers.RemoveAsync("w");
        Assert.Empty(await Workers.ListAsync());
    }

    [Fact]
    public async Task Only_jobs_that_are_long_over_and_announced_are_deleted()
    {
        var over = await QueueJobAsync(items: 4);
        await AnswerAsync((await ClaimAsync(over, 0))!);
        await Ending.AdvanceAsync();
        await Ending.AnnounceAsync(Assert.Single(await Ending.UnannouncedAsync()), _ => Task.CompletedTask);
        var running = await QueueJobAsync(items: 4);
        Clock.Advance(TimeSpan.FromDays(1));

        Assert.Equal(0, await Get<Jobs.JobRetention>().DeleteAsync(TimeSpan.FromDays(1)));
        Clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(1, await Get<Jobs.JobRetention>().DeleteAsync(TimeSpan.FromDays(1)));

        Assert.Null(await Jobs.FindAsync(over));
        Assert.Empty(await AllResultsAsync(over));
        Assert.NotNull(await Jobs.FindAsync(running));
    }
}

public sealed class SqliteExpansionTests() : ExpansionTests(new SqliteFile());

public sealed class PostgresExpansionTests() : ExpansionTests(new PostgresTestDatabase());
