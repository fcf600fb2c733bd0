using Llava.Contracts;
using Llava.Contracts.Documents;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Ledger.Estimates;
using Llava.Ledger.Expansion;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;
using Llava.Ledger.Sampling;
using Llava.Ledger.Workers;

namespace Llava.Ledger.Tests.Sampling;

/// <summary>Jobs that try themselves out on a sample first. The same on every database.</summary>
public abstract class SampleTests(TestDatabase database) : LedgerFixture(database)
{
    private const int Items = 200;

    private JobSampling Sampling => Get<JobSampling>();

    private JobEstimator Estimator => Get<JobEstimator>();

    [Fact]
    public async Task The_sample_alone_is_handed_out_then_the_job_waits_and_resumed_it_does_the_rest_once()
    {
        var job = await SampledJobAsync(10);

        Assert.Equal(10, (await Dispatch.WaitingAsync(job, 1000)).Sum(chunk => chunk.ItemCount));
        Assert.Equal((await Dispatch.WaitingAsync(job, 1))[0].ChunkNo, Assert.Single(await Dispatch.JobsAsync(Model, 2)).FirstWaiting);
        var sampled = await AnswerWaitingAsync(job);
        Assert.Empty(await Dispatch.WaitingAsync(job, 1000));
        Assert.Equal([job], await Sampling.PauseSampledAsync());
        Assert.Empty(await Sampling.PauseSampledAsync());
        await EndAsync();

        var waits = await Jobs.ReadAsync(job);
        Assert.True(waits.IsSampled);
        Assert.Equal((10, 10), (waits.Sample!.Items, waits.Sample.Succeeded));
        Assert.Equal(sampled.Order(), (await AllResultsAsync(job)).Select(result => result.ItemNo));
        Assert.Empty(await Dispatch.JobsAsync(Model, 2));

        await Control.ResumeAsync(job);
        var rest = await AnswerWaitingAsync(job);
        Assert.Empty(await Sampling.PauseSampledAsync());
        await EndAsync();

        Assert.Equal(JobState.Completed, (await Jobs.ReadAsync(job)).State);
        Assert.Equal(Enumerable.Range(0, Items), sampled.Concat(rest).Order());
        Assert.Equal(Items, (await Jobs.ProgressAsync(job)).Succeeded);
    }

    [Fact]
    public async Task Paused_in_the_middle_it_goes_on_with_the_sample()
    {
        var job = await SampledJobAsync(10);
        var first = (await Dispatch.WaitingAsync(job, 1))[0];
        Assert.True(await AnswerAsync((await ClaimAsync(job, first.ChunkNo))!));

        await Control.PauseAsync(job);
        Assert.Empty(await Sampling.PauseSampledAsync());
        Assert.False((await Jobs.ReadAsync(job)).IsSampled);
        await Control.ResumeAsync(job);

        Assert.Equal(10 - first.ItemCount, (await Dispatch.WaitingAsync(job, 1000)).Sum(chunk => chunk.ItemCount));
    }

    [Fact]
    public async Task A_sample_of_all_there_is_is_the_job()
    {
        var job = await QueueJobAsync(8, change: request => request with { Sample = 8 });

        Assert.Null((await Jobs.ReadAsync(job)).SampleChunk);
        await AnswerWaitingAsync(job);
        Assert.Empty(await Sampling.PauseSampledAsync());
        await EndAsync();
        Assert.Equal(JobState.Completed, (await Jobs.ReadAsync(job)).State);
        Assert.Null(await Estimator.OfSampleAsync(await Jobs.ReadAsync(job), await Jobs.ProgressAsync(job), null));
    }

    [Fact]
    public async Task A_job_that_waits_can_be_cancelled_and_what_was_answered_stays()
    {
        var job = await SampledJobAsync(10);
        await AnswerWaitingAsync(job);
        await Sampling.PauseSampledAsync();

        await Control.CancelAsync(job);
        await EndAsync();

        var counts = await Jobs.ProgressAsync(job);
        Assert.Equal((JobState.Cancelled, 10L, Items - 10L), ((await Jobs.ReadAsync(job)).State, counts.Succeeded, counts.Cancelled));
    }

    [Fact]
    public async Task Items_that_are_tried_again_while_the_job_waits_are_done_when_it_goes_on()
    {
        var job = await SampledJobAsync(10);
        await AnswerWaitingAsync(job, item => FinishedItem.Failed(item, new("image_unreadable", "why")));
        await Sampling.PauseSampledAsync();

        Assert.Equal((JobState.Paused, 10), ((await Control.RetryAsync(job)).State, 10));
        await Control.ResumeAsync(job);
        await AnswerWaitingAsync(job);
        await EndAsync();

        Assert.Equal((JobState.Completed, (long)Items), ((await Jobs.ReadAsync(job)).State, (await Jobs.ProgressAsync(job)).Succeeded));
    }

    [Fact]
    public async Task The_same_key_finds_the_job_with_another_sample_or_none()
    {
        var request = Request() with { IdempotencyKey = "k", Sample = 10 };
        var first = await Submission.SubmitAsync(request);

        Assert.Equal((first.Id, false), Parts(await Submission.SubmitAsync(request with { Sample = null })));
        Assert.Equal((first.Id, false), Parts(await Submission.SubmitAsync(request with { Sample = 20 })));
        Assert.Equal(10, (await Jobs.ReadAsync(first.Id)).Request.Sample);

        static (JobId, bool) Parts(SubmittedJob submitted) => (submitted.Id, submitted.IsNew);
    }

    [Fact]
    public async Task The_rest_is_estimated_from_what_the_sample_took()
    {
        await Workers.HeartbeatAsync(Worker(slots: 8));
        var job = await SampledJobAsync(10);
        // Ten items, each alone in work for two seconds, and two of them in vain.
        var chunks = await Dispatch.WaitingAsync(job, 1000);
        foreach (var item in chunks)
        {
            var lease = (await ClaimAsync(job, item.ChunkNo))!;
            var missing = Assert.Single(await Leases.MissingItemsAsync(lease)).ItemNo;
            Clock.Advance(TimeSpan.FromSeconds(2));
            var isBad = item.ChunkNo - chunks[0].ChunkNo < 2;
            await Writer.CommitAsync(lease, [isBad ? FinishedItem.Failed(missing, new("image_unreadable", "why")) : Took(missing, completion: 10 + item.ChunkNo - chunks[0].ChunkNo)], completesChunk: true);
        }

        Assert.Equal(SampleState.Running, (await Estimator.OfSampleAsync(await Jobs.ReadAsync(job), null, null))!.State);
        await Sampling.PauseSampledAsync();
        var sample = (await Estimator.OfSampleAsync(await Jobs.ReadAsync(job), await Jobs.ProgressAsync(job), imageTokens: 4))!;
        var estimate = sample.Estimate!;

        Assert.Equal((10, SampleState.Done, 10), (sample.Records, sample.State, sample.Items));
        Assert.Equal(EstimateBasis.Sample, estimate.Basis);
        Assert.Equal(190, estimate.Items);
        // The answered ones were in their slots for 2 s each, the failed ones in work as long.
        Assert.Equal(8 / 20.0, estimate.ItemsPerSecond!.Value, 6);
        Assert.Equal(190 / (8 / 20.0), estimate.Seconds!.Value, 6);
        Assert.Equal(190 / (8 / 2.0), estimate.SecondsLeast!.Value, 6);
        Assert.Equal((6.0, 6.0, 6.0, 6.0 * 190), Of(estimate.PromptTokens!));
        Assert.Equal((4.0, 4.0, 4.0, 4.0 * 190), Of(estimate.ImageTokens!));
        Assert.Equal((15.5, 12.0, 19.0, 15.5 * 190), Of(estimate.CompletionTokens!));
        Assert.Equal([new SampleFailure("image_unreadable", 2)], estimate.Failures!);

        await Control.ResumeAsync(job);
        Assert.Equal(SampleState.Continued, (await Estimator.OfSampleAsync(await Jobs.ReadAsync(job), await Jobs.ProgressAsync(job), null))!.State);

        static (double, double, double, double) Of(TokenEstimate tokens) => (tokens.Mean, tokens.Least, tokens.Most, tokens.Total!.Value);
    }

    [Fact]
    public async Task Before_there_is_a_job_the_models_earlier_ones_tell_and_without_any_a_sample_is_advised()
    {
        SourceSurvey survey = new() { Items = 1000, Rejected = 5, PromptTokens = [10, 20], ImageTokens = [4, 4] };
        var nothing = await Estimator.BeforeAsync(Model, survey);
        var slow = await QueueJobAsync(20, chunkItems: 1);
        await AnswerWaitingAsync(slow, pause: TimeSpan.FromSeconds(2));
        var fast = await QueueJobAsync(20, chunkItems: 1);
        await AnswerWaitingAsync(fast, pause: TimeSpan.FromSeconds(1));
        await EndAsync();

        var estimate = await Estimator.BeforeAsync(Model, survey);
        var elsewhere = await Estimator.BeforeAsync("other", survey with { Items = null, Problem = "It cannot be read." });

        Assert.Equal((EstimateBasis.None, null, 15.0), (nothing.Basis, nothing.Seconds, nothing.PromptTokens!.Mean));
        Assert.Contains("'sample'", nothing.Explanation, StringComparison.Ordinal);
        Assert.Equal((EstimateBasis.PastJobs, 1000L, 5L), (estimate.Basis, estimate.Items!.Value, estimate.Rejected!.Value));
        // The first answer of each is the start of its clock.
        Assert.Equal(1000 / (20 / 19.0), estimate.SecondsLeast!.Value, 3);
        Assert.Equal(1000 / (20 / 38.0), estimate.SecondsMost!.Value, 3);
        Assert.InRange(estimate.Seconds!.Value, estimate.SecondsLeast!.Value, estimate.SecondsMost!.Value);
        Assert.Equal((15_000.0, 4000.0, 5000.0), (estimate.PromptTokens!.Total!.Value, estimate.ImageTokens!.Total!.Value, estimate.CompletionTokens!.Total!.Value));
        Assert.Equal((EstimateBasis.None, null), (elsewhere.Basis, elsewhere.Items));
        Assert.Contains("cannot be read", elsewhere.Explanation, StringComparison.Ordinal);
    }

    private Task<JobId> SampledJobAsync(int records) => QueueJobAsync(Items, chunkItems: 7, change: request => request with { Sample = records });

    /// <summary>Answers all that may be handed out, and returns its items.</summary>
    private async Task<List<int>> AnswerWaitingAsync(JobId job, Func<int, FinishedItem>? answer = null, TimeSpan pause = default)
    {
        List<int> items = [];
        while (await Dispatch.WaitingAsync(job, 1000) is { Count: > 0 } waiting)
        {
            foreach (var chunk in waiting)
            {
                Clock.Advance(pause);
                var lease = (await ClaimAsync(job, chunk.ChunkNo, chunk.Attempt))!;
                var missing = (await Leases.MissingItemsAsync(lease)).Select(item => item.ItemNo).ToList();
                items.AddRange(missing);
                Assert.True(await Writer.CommitAsync(lease, [.. missing.Select(item => answer?.Invoke(item) ?? Answer(item))], completesChunk: true));
            }
        }

        return items;
    }

    private static FinishedItem Took(int item, int completion) => Answer(item) with { Usage = new(10, completion, 2), Timings = new(0, 0, 500, 1500) };

    private async Task EndAsync()
    {
        await Ending.AdvanceAsync();
        foreach (var ended in await Ending.UnannouncedAsync())
        {
            await Ending.AnnounceAsync(ended, _ => Task.CompletedTask);
        }
    }

    private static WorkerRecord Worker(int slots) => new()
    {
        Id = "w",
        Host = "here",
        ProcessId = 7,
        ProcessStart = TimeSpan.FromSeconds(7),
        Models = [new(Model, "r1", slots)],
    };
}

public sealed class SqliteSampleTests() : SampleTests(new SqliteFile());

public sealed class PostgresSampleTests() : SampleTests(new PostgresTestDatabase());
