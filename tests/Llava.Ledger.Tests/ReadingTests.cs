using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Ledger.Jobs;

namespace Llava.Ledger.Tests;

/// <summary>Jobs that run while their source is still being read. The same on every database.</summary>
public abstract class ReadingTests(TestDatabase database) : LedgerFixture(database)
{
    private static readonly Failure Unreadable = new("source_unreadable", "The disk is gone.");

    [Fact]
    public async Task The_first_items_are_worked_on_while_the_rest_is_read_and_the_job_ends_only_after_that()
    {
        var job = await ReadAsync(items: 4);
        Assert.Equal((JobState.Queued, true), await StateAsync(job));
        Assert.Single(await Dispatch.JobsAsync(Model, 1));

        Assert.True(await AnswerAsync((await ClaimAsync(job, 0))!));
        Assert.Equal(0, await Ending.AdvanceAsync());
        Assert.Equal((JobState.Running, true), await StateAsync(job));
        Assert.Single(await Expansion.WaitingAsync());

        Assert.True(await Expansion.AppendAsync(job, 4, Chunks(4, 4, 4), "8"));
        Assert.True(await Expansion.FinishAsync(job));
        Assert.Empty(await Expansion.WaitingAsync());
        Assert.Equal((JobState.Running, false), await StateAsync(job));
        Assert.True(await AnswerAsync((await ClaimAsync(job, 1))!));
        Assert.Equal(1, await Ending.AdvanceAsync());
        Assert.Equal(8, (await Jobs.ProgressAsync(job)).Succeeded);
    }

    [Fact]
    public async Task A_job_whose_items_are_all_answered_before_its_source_ends_is_complete_when_it_does()
    {
        var job = await ReadAsync(items: 4);
        await AnswerAsync((await ClaimAsync(job, 0))!);

        Assert.True(await Expansion.FinishAsync(job));

        Assert.Equal(1, await Ending.AdvanceAsync());
        Assert.Equal(JobState.Finalizing, (await StateAsync(job)).State);
    }

    [Fact]
    public async Task Items_that_cannot_be_used_do_not_start_a_job()
    {
        var (job, _) = await Submission.SubmitAsync(Request());
        await Expansion.AppendAsync(job, 0, [new([Item(0) with { Rejection = new("invalid_line", "Line 1 is no JSON.") }], 0)], "1");
        Assert.Equal(JobState.Validating, (await StateAsync(job)).State);

        await Expansion.AppendAsync(job, 1, Chunks(1, 1, 1), "2");
        Assert.Equal(JobState.Queued, (await StateAsync(job)).State);
    }

    [Fact]
    public async Task A_strict_job_a_sampled_one_and_a_batch_wait_for_the_whole_source()
    {
        Func<JobRequest, JobRequest>[] changes =
        [
            request => request with { Strict = true },
            request => request with { Sample = 2 },
            request => request with { Source = new() { Kind = SourceKind.OpenAiBatch, Path = "batch.jsonl", Endpoint = "/v1/chat/completions" } },
        ];
        foreach (var change in changes)
        {
            var job = await ReadAsync(items: 4, change);
            Assert.Equal((JobState.Validating, true), await StateAsync(job));
            await Expansion.FinishAsync(job);
            Assert.Equal((JobState.Queued, false), await StateAsync(job));
        }
    }

    [Fact]
    public async Task A_source_that_breaks_off_fails_the_job_and_keeps_what_was_answered()
    {
        var job = await ReadAsync(items: 8);
        var answered = (await ClaimAsync(job, 0))!;
        var late = (await ClaimAsync(job, 1))!;
        Assert.True(await AnswerAsync(answered));

        Assert.True(await Expansion.FailAsync(job, Unreadable));

        Assert.False(await Writer.CommitAsync(late, [Answer(4)], completesChunk: true, "r1"));
        Assert.False(await Expansion.AppendAsync(job, 8, Chunks(8, 4, 4), "12"));
        Assert.Equal((JobState.Failed, false), await StateAsync(job));
        Assert.Equal(Unreadable, (await Jobs.ReadAsync(job)).Failure);
        Assert.Equal([0, 1, 2, 3], (await AllResultsAsync(job)).Select(result => result.ItemNo));
        Assert.Single(await Ending.UnannouncedAsync());
    }

    [Fact]
    public async Task A_job_paused_while_it_is_read_goes_on_reading_when_it_is_resumed_and_still_ends_well()
    {
        var job = await ReadAsync(items: 4);
        await AnswerAsync((await ClaimAsync(job, 0))!);
        await Control.PauseAsync(job);
        Assert.False(await Expansion.AppendAsync(job, 4, Chunks(4, 4, 4), "8"));
        Assert.False(await Expansion.FinishAsync(job));

        Assert.Equal(JobState.Validating, await Control.ResumeAsync(job));
        Assert.True(await Expansion.FinishAsync(job));
        Assert.Equal((JobState.Queued, false), await StateAsync(job));
    }

    [Fact]
    public async Task A_part_waits_until_the_jobs_own_source_is_read()
    {
        var job = await ReadAsync(items: 4, request => request with { Open = true });
        var parts = Get<JobParts>();
        await parts.AppendAsync(job, new() { Source = new() { Kind = SourceKind.Folder, Path = "more" } });
        Assert.Empty(await Get<Expansion.PartExpansion>().WaitingAsync());

        await Expansion.FinishAsync(job);

        Assert.Single(await Get<Expansion.PartExpansion>().WaitingAsync());
    }

    [Fact]
    public async Task Nothing_of_it_is_tried_again_before_it_is_read()
    {
        var job = await ReadAsync(items: 4);
        Assert.Equal(JobState.Queued, (await Assert.ThrowsAsync<RetryRefusedException>(() => Control.RetryAsync(job))).State);
    }

    /// <summary>A job of which this many items are read, and more may follow.</summary>
    private async Task<JobId> ReadAsync(int items, Func<JobRequest, JobRequest>? change = null)
    {
        var (job, _) = await Submission.SubmitAsync((change ?? (request => request))(Request()));
        Assert.True(await Expansion.AppendAsync(job, 0, Chunks(0, items, 4), $"{items}"));
        return job;
    }

    private async Task<(JobState State, bool IsBeingRead)> StateAsync(JobId job)
    {
        var record = await Jobs.ReadAsync(job);
        return (record.State, record.IsBeingRead);
    }
}

public sealed class SqliteReadingTests() : ReadingTests(new SqliteFile());

public sealed class PostgresReadingTests() : ReadingTests(new PostgresTestDatabase());
