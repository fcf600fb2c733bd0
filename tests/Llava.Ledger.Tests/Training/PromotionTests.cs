using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Ledger.Jobs;
using Llava.Ledger.Promotions;
using Llava.Ledger.Training;

namespace Llava.Ledger.Tests.Training;

/// <summary>Names that stand for trained models. The same on every database.</summary>
public abstract class PromotionTests(TestDatabase database) : TrainingFixture(database)
{
    private static readonly PromotionVerdict Good = new(true, "good"), Bad = new(false, "bad");

    private PromotionStore Promotions => Get<PromotionStore>();

    [Fact]
    public async Task A_name_moves_to_the_model_that_was_good_enough_and_jobs_keep_what_they_got()
    {
        var first = await MadeAsync();
        var before = await SubmitAsync();
        await Promotions.DecideAsync(Assert.Single(await Promotions.ListWaitingAsync()), Good);
        var then = await SubmitAsync();
        var second = await MadeAsync();
        await Promotions.DecideAsync(Assert.Single(await Promotions.ListWaitingAsync()), Good);
        var now = await SubmitAsync();

        Assert.Equal(["best", first.Model, second.Model], await Task.WhenAll(new[] { before, then, now }.Select(async job => (await Jobs.ReadAsync(job)).Request.Model)));
        Assert.Empty(await Promotions.ListWaitingAsync());
        Assert.Contains((await Runs.EventsAsync(first.Id, null, 10)), one => one.Message == $"'best' stands for {first.Model} now: good");
    }

    [Fact]
    public async Task What_an_older_model_answered_is_asked_anew_of_the_one_that_takes_the_name_over()
    {
        var old = (await Submission.SubmitAsync(Request() with { Model = "old", Prompt = "Describe it." })).Id;
        var open = (await Submission.SubmitAsync(Request() with { Open = true })).Id;
        var others = (await Submission.SubmitAsync(Request() with { Tenant = "museum" })).Id;
        var batch = (await Submission.SubmitAsync(Request() with { Source = new() { Kind = SourceKind.OpenAiBatch, Path = "/data/batch.jsonl" } })).Id;
        var bad = await MadeAsync(old);
        await Promotions.DecideAsync((await Promotions.ListWaitingAsync())[0], Bad);
        var run = await MadeAsync(old, open, others, batch);
        var waiting = (await Promotions.ListWaitingAsync())[0];
        await Promotions.DecideAsync(waiting, Good);
        await Promotions.DecideAsync(waiting, Good);

        var again = Assert.Single(await Jobs.ListAsync(new() { Limit = 100 }), job => job.Request.IdempotencyKey?.Contains(":again:", StringComparison.Ordinal) == true);
        Assert.Equal((run.Model, "Describe it.", "default"), (again.Request.Model, again.Request.Prompt, again.Request.Tenant));
        var events = await Runs.EventsAsync(run.Id, null, 20);
        Assert.Contains(events, one => one.Message == $"{old} is asked anew of {run.Model} as {again.Id}");
        Assert.Equal(3, events.Count(one => one.Message.Contains("is not asked anew", StringComparison.Ordinal)));
        Assert.NotEqual(bad.Model, run.Model);
    }

    [Fact]
    public async Task A_model_that_is_not_good_enough_leaves_the_name_and_says_why()
    {
        var first = await MadeAsync();
        await Promotions.DecideAsync((await Promotions.ListWaitingAsync())[0], Good);
        var second = await MadeAsync();
        var waiting = (await Promotions.ListWaitingAsync())[0];
        await Promotions.DecideAsync(waiting, Bad);
        await Promotions.DecideAsync(waiting, Good);

        Assert.Equal(first.Model, await Promotions.TargetAsync("default", "best"));
        var listed = await Promotions.ListAsync(null, 10);
        Assert.Equal([(second.Id, (bool?)false, "bad"), (first.Id, true, "good")], listed.Select(one => (one.Run, one.Holds, one.Reason!)));
        Assert.Contains(await Runs.EventsAsync(second.Id, null, 10), one => one.Level == TrainingEventLevel.Warn && one.Message == "'best' stays what it was: bad");
    }

    [Fact]
    public async Task A_deleted_model_gives_its_name_back_and_a_name_is_its_tenants_own()
    {
        var first = await MadeAsync();
        await Promotions.DecideAsync((await Promotions.ListWaitingAsync())[0], Good);
        var second = await MadeAsync();
        await Promotions.DecideAsync((await Promotions.ListWaitingAsync())[0], Good);

        Assert.Equal((second.Model, null), (await Promotions.TargetAsync("default", "best"), await Promotions.TargetAsync("museum", "best")));
        await Runs.DeleteModelAsync(second.Model, null);
        Assert.Equal(first.Model, await Promotions.TargetAsync("default", "best"));
    }

    [Fact]
    public async Task A_run_that_starts_from_a_name_starts_from_its_model_and_one_that_fails_is_never_judged()
    {
        var first = await MadeAsync();
        await Promotions.DecideAsync((await Promotions.ListWaitingAsync())[0], Good);
        var next = await QueueAsync(request => Promoted(request) with { Model = "best" });
        var claimed = (await TrainingLeases.ClaimAsync(TrainingPhase.Train, "w"))!;
        await TrainingLeases.FailAsync(claimed.Lease, new("training_failed", "no"));

        Assert.Equal(first.Model, (await Runs.ReadAsync(next, null)).Request.Model);
        Assert.Empty(await Promotions.ListWaitingAsync());
    }

    [Fact]
    public async Task The_same_key_finds_its_job_though_the_name_has_moved_since()
    {
        await MadeAsync();
        await Promotions.DecideAsync((await Promotions.ListWaitingAsync())[0], Good);
        var job = await Submission.SubmitAsync(Request() with { Model = "best", IdempotencyKey = "k" });
        await MadeAsync();
        await Promotions.DecideAsync((await Promotions.ListWaitingAsync())[0], Good);

        Assert.Equal(new SubmittedJob(job.Id, false), await Submission.SubmitAsync(Request() with { Model = "best", IdempotencyKey = "k" }));
    }

    [Fact]
    public async Task What_cannot_be_judged_is_refused_with_the_run()
    {
        var refused = await Assert.ThrowsAsync<InvalidTrainingRequestException>(() => CreateAsync(request => Promoted(request) with
        {
            Promotion = new() { Name = "a b", Evaluate = Request(), AtLeast = new Dictionary<string, double> { ["x"] = 95 }, LoseAtMost = -1 },
        }));

        Assert.Equal(["promotion.name", "promotion.evaluate", "promotion.at_least", "promotion.lose_at_most"], refused.Findings.Select(finding => finding.Field));
    }

    private static TrainingRequest Promoted(TrainingRequest request) => request with { Promotion = new() { Name = "best", Evaluate = Request() with { Expected = "answer" } } };

    private async Task<TrainingRunRecord> MadeAsync(params JobId[] again)
    {
        var run = await QueueAsync(request => Promoted(request) is { Promotion: { } promotion } promoted ? promoted with { Promotion = promotion with { Again = again } } : request);
        var claimed = (await TrainingLeases.ClaimAsync(TrainingPhase.Train, "w"))!;
        Assert.True(await TrainingLeases.SucceedAsync(claimed.Lease, "file-result"));
        Clock.Advance(TimeSpan.FromMilliseconds(5));
        return await Runs.ReadAsync(run, null);
    }

    private async Task<JobId> SubmitAsync() => (await Submission.SubmitAsync(Request() with { Model = "best", IdempotencyKey = null })).Id;
}

public sealed class SqlitePromotionTests() : PromotionTests(new SqliteFile());

public sealed class PostgresPromotionTests() : PromotionTests(new PostgresTestDatabase());
