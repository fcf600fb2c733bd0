using System.Diagnostics;
using Llava.Contracts;
using Llava.Contracts.States;
using Llava.Ledger.Chunks;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;
using Microsoft.Extensions.DependencyInjection;

namespace Llava.Ledger.Tests;

/// <summary>Trying again what has no answer. The same on every database.</summary>
public abstract class RetryTests(TestDatabase database) : LedgerFixture(database)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task Failed_items_of_a_completed_job_run_again_and_answers_stay_as_they_are()
    {
        var job = await QueueJobAsync(items: 8);
        await CommitAsync((await ClaimAsync(job, 0))!, Answer(0, "first"), Fail(1, "image_unreadable"), Answer(2), Answer(3));
        await AnswerAsync((await ClaimAsync(job, 1))!);
        await EndAsync(job);

        Assert.Equal(new RetriedJob(JobState.Queued, 1), await Control.RetryAsync(job));

        var opened = await Jobs.ReadAsync(job);
        Assert.Equal((JobState.Queued, null, null), (opened.State, opened.FinishedAt, opened.FinalProgress));
        Assert.Equal(7, (await Jobs.ProgressAsync(job)).Done);
        Assert.Equal([0], (await Dispatch.WaitingAsync(job, 10)).Select(chunk => chunk.ChunkNo));
        var claimed = (await Leases.ClaimAsync(job, 0, attempt: 0, "w2"))!;
        Assert.Equal([1], claimed.Items.Select(item => item.ItemNo));
        Assert.True(await Writer.CommitAsync(claimed.Lease, [Answer(1, "second")], completesChunk: true));
        await EndAsync(job);
        var results = await AllResultsAsync(job);
        Assert.Equal(["first", "second"], results.Take(2).Select(result => result.Result.Text));
        Assert.Equal(8, (await Jobs.ReadAsync(job)).FinalProgress!.Succeeded);
    }

    [Fact]
    public async Task The_next_end_is_announced_like_the_first()
    {
        var job = await QueueJobAsync(items: 1);
        await CommitAsync((await ClaimAsync(job, 0))!, Fail(0));
        await EndAsync(job);
        await Control.RetryAsync(job);
        Assert.Empty(await Ending.UnannouncedAsync());

        await AnswerAsync((await ClaimAsync(job, 0))!);
        await Ending.AdvanceAsync();

        var ended = Assert.Single(await Ending.UnannouncedAsync());
        Assert.Equal((job, 1), (ended.Job.Id, ended.Progress.Succeeded));
    }

    [Fact]
    public async Task An_end_that_was_being_announced_while_the_job_was_opened_again_is_not()
    {
        var job = await QueueJobAsync(items: 2, chunkItems: 1);
        await CommitAsync((await ClaimAsync(job, 0))!, Fail(0));
        await Control.CancelAsync(job);
        await Ending.AdvanceAsync();
        var ended = Assert.Single(await Ending.UnannouncedAsync());

        await Control.RetryAsync(job);

        Assert.False(await Ending.AnnounceAsync(ended, _ => throw new InvalidOperationException("Announced.")));
        Assert.Null((await Jobs.ReadAsync(job)).FinalProgress);

        // Over once more, but not the end that was counted.
        Clock.Advance(TimeSpan.FromSeconds(1));
        await Control.CancelAsync(job);
        await Ending.AdvanceAsync();
        Assert.False(await Ending.AnnounceAsync(ended, _ => throw new InvalidOperationException("Announced.")));
        Assert.Single(await Ending.UnannouncedAsync());
    }

    [Fact]
    public async Task Only_the_named_causes_are_tried_again()
    {
        var job = await QueueJobAsync(items: 3, chunkItems: 1);
        await CommitAsync((await ClaimAsync(job, 0))!, Fail(0, "image_unreadable"));
        await CommitAsync((await ClaimAsync(job, 1))!, Fail(1, "prompt_too_long"));
        await CommitAsync((await ClaimAsync(job, 2))!, Fail(2, "image_unreadable"));
        await EndAsync(job);

        Assert.Equal(0, (await Control.RetryAsync(job, new() { Codes = ["no_such_code"] })).Items);
        Assert.Equal(JobState.Completed, (await Jobs.ReadAsync(job)).State);
        Assert.Equal(2, (await Control.RetryAsync(job, new() { Codes = ["image_unreadable"] })).Items);

        Assert.Equal([0, 2], (await Dispatch.WaitingAsync(job, 10)).Select(chunk => chunk.ChunkNo));
        Assert.Equal("prompt_too_long", Assert.Single(await AllResultsAsync(job)).Result.Failure!.Code);
    }

    [Fact]
    public async Task Cancelled_items_come_back_only_when_they_are_named()
    {
        var job = await QueueJobAsync(items: 8);
        await CommitAsync((await ClaimAsync(job, 0))!, Answer(0), Fail(1), Answer(2), Answer(3));
        await Control.CancelAsync(job);
        await EndAsync(job);

        Assert.Equal(4, (await Control.RetryAsync(job, new() { Outcomes = [ItemOutcome.Cancelled] })).Items);

        await AnswerAsync((await ClaimAsync(job, 1))!);
        await EndAsync(job);
        Assert.Equal((JobState.Completed, 7, 1), await EndOfAsync(job));
    }

    [Fact]
    public async Task An_expired_job_gets_its_whole_window_again()
    {
        var job = await QueueJobAsync(items: 4, change: request => request with { CompletionWindow = TimeSpan.FromMinutes(1) });
        Clock.Advance(TimeSpan.FromMinutes(5));
        await EndAsync(job);
        Assert.Equal(JobState.Expired, (await Jobs.ReadAsync(job)).State);

        Assert.Equal(new RetriedJob(JobState.Queued, 4), await Control.RetryAsync(job, new() { Outcomes = [ItemOutcome.Expired] }));

        Assert.Equal(0, await Ending.AdvanceAsync());
        Assert.Equal(Clock.GetUtcNow().AddMinutes(1), (await Jobs.ReadAsync(job)).ExpiresAt);
        await AnswerAsync((await ClaimAsync(job, 0))!);
        await EndAsync(job);
        Assert.Equal((JobState.Completed, 4, 0), await EndOfAsync(job));
    }

    [Fact]
    public async Task A_consumer_that_holds_the_chunk_has_lost_it_and_brings_no_failure_back()
    {
        var job = await QueueJobAsync(items: 4);
        var held = (await ClaimAsync(job, 0))!;
        Assert.True(await Writer.CommitAsync(held, [Answer(0, "kept"), Fail(1)], completesChunk: false));

        Assert.Equal(new RetriedJob(JobState.Running, 1), await Control.RetryAsync(job));

        Assert.False(await Writer.CommitAsync(held, [Fail(1), Answer(2), Answer(3)], completesChunk: true));
        Assert.Equal([LeaseStanding.Lost], await Leases.RenewAsync([held]));
        var again = (await Leases.ClaimAsync(job, 0, attempt: 0, "w"))!;
        Assert.Equal([1, 2, 3], again.Items.Select(item => item.ItemNo));
        Assert.False(await Writer.CommitAsync(held, [Fail(1)], completesChunk: true));
        await AnswerAsync(again.Lease);
        await EndAsync(job);
        Assert.Equal("kept", (await AllResultsAsync(job))[0].Result.Text);
        Assert.Equal((JobState.Completed, 4, 0), await EndOfAsync(job));
    }

    [Fact]
    public async Task A_commit_that_is_repeated_after_the_retry_brings_no_failure_back()
    {
        var job = await QueueJobAsync(items: 2);
        var lease = (await ClaimAsync(job, 0))!;
        await CommitAsync(lease, Fail(0), Answer(1));
        await Control.RetryAsync(job);

        Assert.False(await Writer.CommitAsync(lease, [Fail(0), Answer(1)], completesChunk: true));

        Assert.Equal([1], (await AllResultsAsync(job)).Select(result => result.ItemNo));
    }

    [Fact]
    public async Task Items_that_halving_left_to_no_chunk_are_tried_again()
    {
        var job = await QueueJobAsync(items: 4);
        for (var attempt = 0; attempt < Options.MaxAttempts; attempt++)
        {
            var lease = (await ClaimAsync(job, 0, attempt))!;
            if (attempt == 0)
            {
                await Writer.CommitAsync(lease, [Fail(0), Answer(1)], completesChunk: false);
            }

            await Leases.ReleaseAsync(lease, countAttempt: true, "crashed");
        }

        Assert.Equal(1, (await Sweep.SweepAsync()).Halved);

        Assert.Equal(1, (await Control.RetryAsync(job)).Items);

        await AnswerAllAsync(job);
        await EndAsync(job);
        Assert.Equal((JobState.Completed, 4, 0), await EndOfAsync(job));
    }

    [Fact]
    public async Task Items_that_were_refused_with_the_source_stay_refused()
    {
        var (job, _) = await Submission.SubmitAsync(Request());
        await Expansion.AppendAsync(job, 0, [new([Item(0), new(new("bad", []), new("invalid_line", "Line 2 is no JSON."))], 100)], "end");
        await Expansion.FinishAsync(job);
        await AnswerAsync((await ClaimAsync(job, 0))!);
        await EndAsync(job);

        Assert.Equal(new RetriedJob(JobState.Completed, 0), await Control.RetryAsync(job));
    }

    [Fact]
    public async Task A_paused_job_stays_paused()
    {
        var job = await QueueJobAsync(items: 1);
        await CommitAsync((await ClaimAsync(job, 0))!, Fail(0));
        await Control.PauseAsync(job);

        Assert.Equal(new RetriedJob(JobState.Paused, 1), await Control.RetryAsync(job));

        Assert.Null(await ClaimAsync(job, 0));
        await Control.ResumeAsync(job);
        Assert.NotNull(await ClaimAsync(job, 0));
    }

    [Fact]
    public async Task A_job_that_is_being_read_or_could_not_be_read_is_refused()
    {
        var (reading, _) = await Submission.SubmitAsync(Request());
        var (unusable, _) = await Submission.SubmitAsync(Request());
        await Expansion.FailAsync(unusable, new("source_not_found", "There is no folder."));
        var (half, _) = await Submission.SubmitAsync(Request());
        await Expansion.AppendAsync(half, 0, Chunks(0, 4, 4), "4");
        await Control.CancelAsync(half);
        await EndAsync(half);

        Assert.Equal(JobState.Validating, (await Assert.ThrowsAsync<RetryRefusedException>(() => Control.RetryAsync(reading))).State);
        Assert.Equal(JobState.Failed, (await Assert.ThrowsAsync<RetryRefusedException>(() => Control.RetryAsync(unusable))).State);
        Assert.Equal(JobState.Cancelled, (await Assert.ThrowsAsync<RetryRefusedException>(() => Control.RetryAsync(half, new() { Outcomes = [ItemOutcome.Cancelled] }))).State);
        await Assert.ThrowsAsync<JobNotFoundException>(() => Control.RetryAsync(new(1)));
    }

    [Fact]
    public async Task A_job_that_was_opened_again_is_not_deleted_with_those_that_are_over()
    {
        var job = await QueueJobAsync(items: 1);
        await CommitAsync((await ClaimAsync(job, 0))!, Fail(0));
        await EndAsync(job);
        Clock.Advance(TimeSpan.FromDays(30));
        await Control.RetryAsync(job);

        Assert.Equal(0, await Get<JobRetention>().DeleteAsync(TimeSpan.FromDays(1)));

        Assert.NotNull(await Jobs.FindAsync(job));
    }

    [Fact]
    public async Task Retries_beside_a_consumer_and_the_end_of_the_job_lose_no_item()
    {
        const int items = 120;
        var job = await QueueJobAsync(items, chunkItems: 4);
        using var over = new CancellationTokenSource();
        await using var other = Open();
        var control = other.GetRequiredService<JobControl>();
        var retries = Task.Run(async () =>
        {
            while (!over.IsCancellationRequested)
            {
                await RetryUnlessEndingAsync(control, job);
                await Task.Yield();
            }
        });

        // Every item fails at first, and is answered from its third try on.
        Dictionary<int, int> tries = [];
        var waited = Stopwatch.StartNew();
        while ((await Jobs.ProgressAsync(job)).Succeeded is var succeeded && succeeded < items)
        {
            Assert.True(waited.Elapsed < Patience, $"{succeeded} of {items} items were answered.");
            foreach (var chunk in await Dispatch.WaitingAsync(job, 8))
            {
                if (await Leases.ClaimAsync(job, chunk.ChunkNo, chunk.Attempt, "w") is { } claimed)
                {
                    await Writer.CommitAsync(claimed.Lease, [.. claimed.Items.Select(Try)], completesChunk: true);
                }
            }

            await AdvanceAsync();
        }

        await over.CancelAsync();
        await retries;
        await EndAsync(job);
        Assert.Equal((JobState.Completed, items, 0), await EndOfAsync(job));

        FinishedItem Try(ClaimedItem item) => (tries[item.ItemNo] = tries.GetValueOrDefault(item.ItemNo) + 1) >= 3 ? Answer(item.ItemNo) : Fail(item.ItemNo);
    }

    private static async Task RetryUnlessEndingAsync(JobControl control, JobId job)
    {
        try
        {
            await control.RetryAsync(job);
        }
        catch (RetryRefusedException)
        {
            // Between finalizing and completed there is a moment in which nothing can be asked of a job.
        }
    }

    private static FinishedItem Fail(int item, string code = "image_unreadable") => FinishedItem.Failed(item, new(code, "why"));

    private async Task CommitAsync(ChunkLease lease, params FinishedItem[] items) => Assert.True(await Writer.CommitAsync(lease, items, completesChunk: true));

    private async Task AnswerAllAsync(JobId job)
    {
        foreach (var chunk in await Dispatch.WaitingAsync(job, 100))
        {
            Assert.True(await AnswerAsync((await ClaimAsync(job, chunk.ChunkNo, chunk.Attempt))!));
        }
    }

    /// <summary>Brings the job to its end and announces it.</summary>
    private async Task EndAsync(JobId job)
    {
        await AdvanceAsync();
        Assert.True((await Jobs.ReadAsync(job)).State.IsFinal());
    }

    private async Task AdvanceAsync()
    {
        await Ending.AdvanceAsync();
        foreach (var ended in await Ending.UnannouncedAsync())
        {
            await Ending.AnnounceAsync(ended, _ => Task.CompletedTask);
        }
    }

    private async Task<(JobState State, long Succeeded, long Failed)> EndOfAsync(JobId job)
    {
        var record = await Jobs.ReadAsync(job);
        return (record.State, record.FinalProgress!.Succeeded, record.FinalProgress.Failed);
    }
}

public sealed class SqliteRetryTests() : RetryTests(new SqliteFile());

public sealed class PostgresRetryTests() : RetryTests(new PostgresTestDatabase());
