using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Ledger.Jobs;

namespace Llava.Ledger.Tests;

/// <summary>Submitting, listing, cancelling, pausing and ending jobs. The same on every database.</summary>
public abstract class JobTests(TestDatabase database) : LedgerFixture(database)
{
    [Fact]
    public async Task A_submitted_job_is_found_as_it_was_asked_for()
    {
        var request = Request() with { Prompt = "What is {prompt}?", Priority = 3, Generation = new() { Seed = 5 }, CompletionWindow = TimeSpan.FromHours(1) };
        var (id, isNew) = await Submission.SubmitAsync(request);
        await RestartAsync();

        var job = await Jobs.ReadAsync(id);

        Assert.True(isNew);
        Assert.Equal(JobState.Validating, job.State);
        Assert.Equal(RequestJson.Write(request), RequestJson.Write(job.Request));
        Assert.Equal(Clock.GetUtcNow(), job.CreatedAt);
        Assert.Equal(Clock.GetUtcNow().AddHours(1), job.ExpiresAt);
        Assert.Equal(0, job.ItemCount);
    }

    [Fact]
    public async Task A_request_that_breaks_rules_is_not_recorded()
    {
        await Assert.ThrowsAsync<InvalidJobRequestException>(() => Submission.SubmitAsync(Request() with { Model = "" }));

        Assert.Empty(await Jobs.ListAsync(new()));
    }

    [Fact]
    public async Task The_same_key_finds_the_same_job_and_a_different_request_is_refused()
    {
        var request = Request() with { IdempotencyKey = "k" };
        var first = await Submission.SubmitAsync(request);
        var again = await Submission.SubmitAsync(request);
        var other = await Submission.SubmitAsync(request with { Tenant = "other" });

        Assert.Equal(new SubmittedJob(first.Id, false), again);
        Assert.True(other.IsNew);
        await Assert.ThrowsAsync<IdempotencyConflictException>(() => Submission.SubmitAsync(request with { Priority = 1 }));
    }

    [Fact]
    public async Task The_same_key_at_the_same_moment_makes_one_job()
    {
        var request = Request() with { IdempotencyKey = "k" };

        var submitted = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Submission.SubmitAsync(request)));

        Assert.Single(submitted.Select(job => job.Id).Distinct());
        Assert.Single(submitted, job => job.IsNew);
    }

    [Fact]
    public async Task Jobs_are_listed_newest_first_by_tenant_state_and_page()
    {
        List<JobId> jobs = [];
        for (var i = 0; i < 5; i++)
        {
            Clock.Advance(TimeSpan.FromMilliseconds(1));
            jobs.Add((await Submission.SubmitAsync(Request() with { Tenant = i % 2 == 0 ? "even" : "odd" })).Id);
        }

        await Control.PauseAsync(jobs[4]);

        Assert.Equal([jobs[4], jobs[3]], (await Jobs.ListAsync(new() { Limit = 2 })).Select(job => job.Id));
        Assert.Equal([jobs[2], jobs[1]], (await Jobs.ListAsync(new() { Limit = 2, Before = jobs[3] })).Select(job => job.Id));
        Assert.Equal([jobs[3], jobs[1]], (await Jobs.ListAsync(new() { Tenant = "odd" })).Select(job => job.Id));
        Assert.Equal([jobs[4]], (await Jobs.ListAsync(new() { State = JobState.Paused })).Select(job => job.Id));
    }

    [Fact]
    public async Task A_job_runs_from_the_first_claim_and_completes_with_its_last_chunk()
    {
        var job = await QueueJobAsync(items: 6);
        Assert.Equal(JobState.Queued, (await Jobs.ReadAsync(job)).State);

        var first = (await ClaimAsync(job, 0))!;
        Assert.Equal(JobState.Running, (await Jobs.ReadAsync(job)).State);
        Assert.True(await AnswerAsync(first));
        Assert.Equal(0, await Ending.AdvanceAsync());

        Clock.Advance(TimeSpan.FromSeconds(2));
        Assert.True(await AnswerAsync((await ClaimAsync(job, 1))!));
        Assert.Equal(1, await Ending.AdvanceAsync());
        Assert.Equal(JobState.Finalizing, (await Jobs.ReadAsync(job)).State);

        var ended = Assert.Single(await Ending.UnannouncedAsync());
        Assert.Equal(JobState.Completed, ended.EndState);
        Assert.True(await Ending.AnnounceAsync(ended, _ => Task.CompletedTask));

        var record = await Jobs.ReadAsync(job);
        Assert.Equal(JobState.Completed, record.State);
        Assert.Equal(Clock.GetUtcNow(), record.FinishedAt);
        Assert.Equal(new JobProgress
        {
            Total = 6,
            Succeeded = 6,
            PromptTokens = 60,
            CompletionTokens = 30,
            CachedTokens = 12,
            FirstAnswerAt = Clock.GetUtcNow().AddSeconds(-2),
            LastAnswerAt = Clock.GetUtcNow(),
        }, record.FinalProgress);
        Assert.Equal(3, record.FinalProgress!.ItemsPerSecond);
        Assert.Empty(await Ending.UnannouncedAsync());
    }

    [Fact]
    public async Task An_end_that_was_not_announced_is_offered_again_after_a_restart()
    {
        var job = await QueueJobAsync(items: 1);
        await AnswerAsync((await ClaimAsync(job, 0))!);
        await Ending.AdvanceAsync();
        Assert.Single(await Ending.UnannouncedAsync());

        await RestartAsync();

        Assert.Equal(job, Assert.Single(await Ending.UnannouncedAsync()).Job.Id);
    }

    [Fact]
    public async Task A_cancelled_job_keeps_its_answers_and_marks_the_rest()
    {
        var job = await QueueJobAsync(items: 10);
        await AnswerAsync((await ClaimAsync(job, 0))!);
        var running = (await ClaimAsync(job, 1))!;

        Assert.Equal(JobState.Cancelling, await Control.CancelAsync(job));
        Assert.Null(await ClaimAsync(job, 2));
        Assert.Equal(0, await Ending.AdvanceAsync());

        Assert.True(await Writer.CommitAsync(running, [Answer(4)], completesChunk: false));
        await Leases.ReleaseAsync(running, countAttempt: false);
        Assert.Equal(1, await Ending.AdvanceAsync());

        Assert.Equal(JobState.Cancelled, (await Jobs.ReadAsync(job)).State);
        Assert.Equal(["succeeded", "succeeded", "succeeded", "succeeded", "succeeded", "cancelled", "cancelled", "cancelled", "cancelled", "cancelled"],
            (await AllResultsAsync(job)).Select(result => result.Result.Outcome.WireName()));
        Assert.Equal(JobState.Cancelled, await Control.CancelAsync(job));
        Assert.Equal(JobState.Cancelled, Assert.Single(await Ending.UnannouncedAsync()).EndState);
    }

    [Fact]
    public async Task A_paused_job_hands_nothing_out_until_it_is_resumed()
    {
        var job = await QueueJobAsync(items: 4);
        await Control.PauseAsync(job);

        Assert.Null(await ClaimAsync(job, 0));
        Assert.Empty(await Dispatch.JobsAsync(Model, 1));
        Assert.Equal(JobState.Paused, await Control.PauseAsync(job));

        Assert.Equal(JobState.Queued, await Control.ResumeAsync(job));
        Assert.NotNull(await ClaimAsync(job, 0));
    }

    [Fact]
    public async Task A_job_paused_while_it_expands_goes_on_expanding()
    {
        var (job, _) = await Submission.SubmitAsync(Request());
        await Control.PauseAsync(job);

        Assert.False(await Expansion.AppendAsync(job, 0, Chunks(0, 4, 4), "4"));
        Assert.Equal(JobState.Validating, await Control.ResumeAsync(job));
        Assert.True(await Expansion.AppendAsync(job, 0, Chunks(0, 4, 4), "4"));
    }

    [Fact]
    public async Task A_job_that_is_over_cannot_be_controlled()
    {
        var (job, _) = await Submission.SubmitAsync(Request());
        await Expansion.FailAsync(job, new("source_not_found", "There is no folder."));

        var refused = await Assert.ThrowsAsync<JobTransitionException>(() => Control.CancelAsync(job));
        Assert.Equal((JobState.Failed, JobState.Cancelling), (refused.From, refused.To));
        await Assert.ThrowsAsync<JobTransitionException>(() => Control.PauseAsync(job));
        await Assert.ThrowsAsync<JobTransitionException>(() => Control.ResumeAsync(job));
        await Assert.ThrowsAsync<JobNotFoundException>(() => Control.CancelAsync(new(1)));
    }

    [Fact]
    public async Task A_job_out_of_time_expires_and_late_answers_are_refused()
    {
        var job = await QueueJobAsync(items: 8, change: request => request with { CompletionWindow = TimeSpan.FromMinutes(1) });
        var late = (await ClaimAsync(job, 0))!;
        Clock.Advance(TimeSpan.FromMinutes(1) - TimeSpan.FromMilliseconds(1));
        Assert.Equal(0, await Ending.AdvanceAsync());

        Clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(1, await Ending.AdvanceAsync());

        Assert.Equal(JobState.Expired, (await Jobs.ReadAsync(job)).State);
        Assert.False(await AnswerAsync(late));
        Assert.Equal(8, (await Jobs.ProgressAsync(job)).Expired);
    }

    [Fact]
    public async Task A_job_that_finished_in_time_completes_even_when_looked_at_late()
    {
        var job = await QueueJobAsync(items: 1, change: request => request with { CompletionWindow = TimeSpan.FromMinutes(1) });
        await AnswerAsync((await ClaimAsync(job, 0))!);
        Clock.Advance(TimeSpan.FromMinutes(2));

        await Ending.AdvanceAsync();

        Assert.Equal(JobState.Finalizing, (await Jobs.ReadAsync(job)).State);
    }
}

public sealed class SqliteJobTests() : JobTests(new SqliteFile());

public sealed class PostgresJobTests() : JobTests(new PostgresTestDatabase());
