using System.Text.Json.Nodes;
using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Ledger.Training;
using Llava.Ledger.Webhooks;

namespace Llava.Ledger.Tests.Training;

/// <summary>Runs that come after others. The same on every database.</summary>
public abstract class TrainingChainTests(TestDatabase database) : TrainingFixture(database)
{
    [Fact]
    public async Task A_run_waits_for_the_one_before_and_starts_from_its_model()
    {
        var first = await BeginAsync();
        var second = await AfterAsync(first.Run, request => request with { Promotion = new() { Name = "best", Evaluate = Questions } });
        var third = await AfterAsync(second);
        Assert.Null(await TrainingLeases.ClaimAsync(TrainingPhase.Validate, "w"));

        await TrainingLeases.SucceedAsync(first, "file");

        var (one, two, three) = (await Runs.ReadAsync(first.Run, null), await Runs.ReadAsync(second, null), await Runs.ReadAsync(third, null));
        Assert.Equal((one.Model, one.Model, TrainingRunState.ValidatingFiles), (two.Request.Model, two.Request.Promotion!.Evaluate.Model, two.State));
        Assert.Equal((two.Model, TrainingRunState.Waiting), (three.Request.Model, three.State));
        Assert.Equal([second], (await Runs.ListFollowersAsync(first.Run)).Select(run => run.Id));
        Assert.Equal(second, (await TrainingLeases.ClaimAsync(TrainingPhase.Validate, "w"))!.Run.Id);
        Assert.Null(await TrainingLeases.ClaimAsync(TrainingPhase.Validate, "w"));
        Assert.Contains(await Runs.EventsAsync(second, null, 10), one => one.Message.Contains("Waiting until " + first.Run, StringComparison.Ordinal));
    }

    [Fact]
    public async Task All_that_wait_for_a_run_fail_with_it_one_behind_the_other_and_it_is_told()
    {
        var webhook = await Get<WebhookStore>().CreateAsync("default", "https://example.org", ["fine_tuning.job.failed"]);
        var first = await BeginAsync();
        var second = await AfterAsync(first.Run);
        var third = await AfterAsync(second);
        var held = await AfterAsync(second);
        await Runs.PauseAsync(held);

        await TrainingLeases.FailAsync(first, new("training_failed", "No."));

        foreach (var (run, before) in new[] { (second, first.Run), (third, second), (held, second) })
        {
            var failed = await Runs.ReadAsync(run, null);
            Assert.Equal((TrainingRunState.Failed, "previous_failed", "after", Clock.GetUtcNow()), (failed.State, failed.Failure!.Code, failed.Failure.Param, failed.FinishedAt));
            Assert.Contains(before, failed.Failure.Message, StringComparison.Ordinal);
        }

        var told = await Get<WebhookStore>().DeliveriesAsync(webhook, null, null, 10);
        Assert.Equal(new[] { first.Run, second, third, held }.Order(), told.Select(one => JsonNode.Parse(one.Payload)!["data"]!["id"]!.GetValue<string>()).Order());
    }

    [Fact]
    public async Task A_run_that_is_cancelled_takes_those_along_that_wait_for_it()
    {
        var first = await CreateAsync();
        var second = await AfterAsync(first);
        var third = await AfterAsync(second);

        await Runs.CancelAsync(second);

        Assert.Equal((TrainingRunState.ValidatingFiles, "previous_failed"), ((await Runs.ReadAsync(first, null)).State, (await Runs.ReadAsync(third, null)).Failure!.Code));
        Assert.Null((await Runs.ReadAsync(second, null)).Failure);
    }

    [Fact]
    public async Task A_waiting_run_may_be_paused_and_waits_again_or_begins_when_resumed()
    {
        var first = await BeginAsync();
        var second = await AfterAsync(first.Run);
        await Runs.PauseAsync(second);
        Assert.Equal(TrainingRunState.Waiting, (await Runs.ResumeAsync(second)).State);
        await Runs.PauseAsync(second);

        await TrainingLeases.SucceedAsync(first, "file");

        Assert.Equal(TrainingRunState.Paused, (await Runs.ReadAsync(second, null)).State);
        Assert.Equal(TrainingRunState.ValidatingFiles, (await Runs.ResumeAsync(second)).State);
    }

    [Fact]
    public async Task A_run_after_one_that_has_succeeded_begins_at_once()
    {
        var first = await BeginAsync();
        await TrainingLeases.SucceedAsync(first, "file");

        Assert.Equal(TrainingRunState.ValidatingFiles, (await Runs.ReadAsync(await AfterAsync(first.Run), null)).State);
    }

    [Fact]
    public async Task A_run_that_makes_no_model_for_this_tenant_is_refused_by_its_id()
    {
        var cancelled = await CreateAsync();
        await Runs.CancelAsync(cancelled);
        var deleted = await BeginAsync();
        await TrainingLeases.SucceedAsync(deleted, "file");
        await Runs.DeleteModelAsync((await Runs.ReadAsync(deleted.Run, null)).Model, null);
        var others = await CreateAsync(request => request with { Tenant = "other" });

        foreach (var run in new[] { cancelled, deleted.Run, others, "ftjob-none" })
        {
            var finding = await RefusalAsync(request => request with { Model = "", After = run });
            Assert.Equal("after", finding.Field);
            Assert.Contains(run, finding.Message, StringComparison.Ordinal);
        }

        var there = await CreateAsync();
        Assert.Equal("model", (await RefusalAsync(request => request with { After = there })).Field);
    }

    [Fact]
    public async Task Alignment_starts_from_a_base_and_answers_nobody()
    {
        var first = await CreateAsync(request => request with { Settings = new() { Mode = TrainingMode.Alignment } });

        var refused = await Assert.ThrowsAsync<InvalidTrainingRequestException>(() => Runs.CreateAsync(Asked(request => request with
        {
            Model = "",
            After = first,
            Promotion = new() { Name = "best", Evaluate = Questions },
            Settings = new() { Mode = TrainingMode.Alignment },
        })));

        Assert.Equal(["after", "promotion"], refused.Findings.Select(finding => finding.Field));
    }

    [Fact]
    public async Task The_least_urgent_run_makes_room_for_one_of_higher_priority_that_waits()
    {
        var low = await BeginAsync();
        await QueueAsync(request => request with { Priority = 1 });
        var middle = (await TrainingLeases.ClaimAsync(TrainingPhase.Train, "x"))!.Lease;
        Assert.Null(await TrainingLeases.FindMoreUrgentAsync(low));
        await QueueAsync();
        Assert.Null(await TrainingLeases.FindMoreUrgentAsync(low));

        var high = await QueueAsync(request => request with { Priority = 2 });

        Assert.Equal((high, null), (await TrainingLeases.FindMoreUrgentAsync(low), await TrainingLeases.FindMoreUrgentAsync(middle)));
        await TrainingLeases.ReleaseAsync(low);
        Assert.Equal(high, (await TrainingLeases.ClaimAsync(TrainingPhase.Train, "w"))!.Run.Id);
        Assert.Equal(low.Run, (await TrainingLeases.ClaimAsync(TrainingPhase.Train, "y"))!.Run.Id);
    }

    [Fact]
    public async Task A_run_that_lost_a_process_counts_it_and_is_taken_again_at_once()
    {
        var lease = await BeginAsync();
        Clock.Advance(TimeSpan.FromSeconds(1));

        await TrainingLeases.AbandonAsync(lease);

        var again = (await TrainingLeases.ClaimAsync(TrainingPhase.Train, "w"))!;
        Assert.Equal((lease.Run, 1), (again.Run.Id, again.Run.Losses));
        Assert.False(await StepAsync(lease, 1));
    }

    [Fact]
    public async Task How_long_a_step_waited_is_kept_and_told()
    {
        var lease = await BeginAsync();

        await TrainingLeases.AdvanceAsync(
            lease, new() { Step = 1, Loss = 1, Accuracy = 0, LearningRate = 1, GradientNorm = 1, Tokens = 1, TokensPerSecond = 1, Waited = TimeSpan.FromSeconds(2.5) }, 6, Clock.GetUtcNow());

        Assert.Equal(TimeSpan.FromSeconds(2.5), Assert.Single(await Runs.MetricsAsync(lease.Run)).Waited);
        var said = (await Runs.EventsAsync(lease.Run, null, 1)).Single();
        Assert.EndsWith("waited 2.5 s for more urgent work", said.Message, StringComparison.Ordinal);
        Assert.Contains("\"waited_seconds\":2.5", said.Data, StringComparison.Ordinal);
    }

    private static JobRequest Questions => new() { Model = "", Expected = "answer", Source = new() { Kind = SourceKind.Manifest, Path = "/questions.jsonl" } };

    private Task<string> AfterAsync(string run, Func<TrainingRequest, TrainingRequest>? change = null) =>
        CreateAsync(request => (change ?? (same => same))(request with { Model = "", After = run }));

    private async Task<Finding> RefusalAsync(Func<TrainingRequest, TrainingRequest> change) =>
        Assert.Single((await Assert.ThrowsAsync<InvalidTrainingRequestException>(() => Runs.CreateAsync(Asked(change)))).Findings);
}

public sealed class SqliteTrainingChainTests() : TrainingChainTests(new SqliteFile());

public sealed class PostgresTrainingChainTests() : TrainingChainTests(new PostgresTestDatabase());
