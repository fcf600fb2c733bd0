using System.Text.Json.Nodes;
using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Ledger.Chunks;
using Llava.Ledger.Signals;
using Llava.Ledger.Training;
using Llava.Ledger.Webhooks;

namespace Llava.Ledger.Tests.Training;

/// <summary>The life of a training run. The same on every database.</summary>
public abstract class TrainingRunTests(TestDatabase database) : TrainingFixture(database)
{
    [Fact]
    public async Task A_run_is_found_as_it_was_asked_for_and_waits_for_its_files_to_be_checked()
    {
        var asked = Asked(request => request with { ValidationFile = "file-2", Seed = 7, Priority = 3, Metadata = new Dictionary<string, string> { ["for"] = "tests" }, Settings = new() { Mode = TrainingMode.Projector, MaxSteps = 6 } });
        var created = await Runs.CreateAsync(asked);
        await RestartAsync();

        var found = await Runs.ReadAsync(created.Id, "default");

        Assert.StartsWith("ftjob-", found.Id, StringComparison.Ordinal);
        Assert.StartsWith("ft:scenes:default:circles:", found.Model, StringComparison.Ordinal);
        Assert.Equal((TrainingRunState.ValidatingFiles, null, 0, 0L), (found.State, found.Resolved, found.Step, found.TrainedTokens));
        Assert.Equal(asked with { Metadata = null }, found.Request with { Metadata = null });
        Assert.Equal("tests", found.Request.Metadata!["for"]);
        Assert.Equal(Clock.GetUtcNow(), found.CreatedAt);
        Assert.Null(await Runs.FindAsync(created.Id, "other"));
        await Assert.ThrowsAsync<TrainingRunNotFoundException>(() => Runs.ReadAsync("ftjob-none", null));
    }

    [Fact]
    public async Task A_request_that_breaks_rules_is_refused_with_every_finding()
    {
        var refused = await Assert.ThrowsAsync<InvalidTrainingRequestException>(() => Runs.CreateAsync(Asked(request => request with
        {
            Suffix = "two words",
            Seed = -1,
            Priority = 1000,
            Settings = new() { Epochs = 51, BatchSize = 0, LearningRate = 0 },
        })));

        Assert.Equal(["suffix", "seed", "priority", "n_epochs", "batch_size", "learning_rate"], refused.Findings.Select(finding => finding.Field));
    }

    [Fact]
    public async Task A_run_goes_from_its_files_to_a_model_and_tells_of_every_step()
    {
        var lease = await BeginAsync();
        Assert.Equal(TrainingRunState.Running, (await Runs.ReadAsync(lease.Run, null)).State);
        for (var step = 1; step <= 6; step++)
        {
            Assert.True(await StepAsync(lease, step, loss: 4.0 / step));
            Clock.Advance(TimeSpan.FromSeconds(1));
            if (step % 2 == 0)
            {
                Assert.True(await TrainingLeases.CheckpointAsync(lease, step, keep: 2));
            }
        }

        Assert.True(await TrainingLeases.SucceedAsync(lease, "file-results"));
        await RestartAsync();

        var run = await Runs.ReadAsync(lease.Run, null);
        Assert.Equal((TrainingRunState.Succeeded, "file-results", 6, 6, 600L), (run.State, run.ResultFile, run.Step, run.Steps, run.TrainedTokens));
        Assert.Equal(Chosen, run.Resolved);
        Assert.Equal((null, null, true), (run.Owner, run.EstimatedFinish, run.HasModel));
        Assert.Equal(Clock.GetUtcNow(), run.FinishedAt);
        Assert.Equal(Enumerable.Range(1, 6).Select(step => (step, 4.0 / step, step % 2 == 0 ? 3 : (double?)null)), (await Runs.MetricsAsync(run.Id)).Select(metric => (metric.Step, metric.Loss, metric.ValidLoss)));
        Assert.Equal([(6, 4.0 / 6), (4, 1)], (await Runs.CheckpointsAsync(run.Id, null, 10)).Select(checkpoint => (checkpoint.Step, checkpoint.Loss)));
        Assert.Equal([4], (await Runs.CheckpointsAsync(run.Id, 6, 10)).Select(checkpoint => checkpoint.Step));
        var events = await Runs.EventsAsync(run.Id, null, 100);
        Assert.Equal(Enumerable.Range(1, events.Count).Reverse(), events.Select(one => one.Number));
        Assert.Equal("The job has successfully completed", events[0].Message);
        Assert.Contains(events, one => one.Message == "Step 2/6: training loss=2.00, full validation loss=3.00" && one.Data!.Contains("\"train_loss\":2", StringComparison.Ordinal));
        Assert.Equal(events.Skip(3).Take(2), await Runs.EventsAsync(run.Id, events[2].Number, 2));
    }

    [Fact]
    public async Task A_step_that_is_made_again_after_a_crash_takes_the_place_of_the_first()
    {
        var lease = await BeginAsync();
        await StepAsync(lease, 1, 5);
        await StepAsync(lease, 2, 4);

        await StepAsync(lease, 1, 5);

        var run = await Runs.ReadAsync(lease.Run, null);
        Assert.Equal((1, 200L), (run.Step, run.TrainedTokens));
        Assert.Equal([5.0, 4.0], (await Runs.MetricsAsync(lease.Run)).Select(metric => metric.Loss));
    }

    [Fact]
    public async Task Runs_are_trained_by_priority_and_then_in_their_order_and_no_two_workers_get_the_same()
    {
        var first = await QueueAsync();
        var second = await QueueAsync();
        var urgent = await QueueAsync(request => request with { Priority = 1 });

        var claims = await Task.WhenAll(Enumerable.Range(0, 4).Select(async worker => (await TrainingLeases.ClaimAsync(TrainingPhase.Train, $"w{worker}"))?.Run.Id));

        Assert.Equal(new[] { first, second, urgent }.Order(), claims.OfType<string>().Order());
        Assert.Single(claims, claim => claim is null);
        Assert.Equal(["running", "running", "running"], (await Runs.ListAsync(null, null, 10)).Select(run => run.State.WireName()));
    }

    [Fact]
    public async Task The_run_of_the_highest_priority_comes_first()
    {
        await QueueAsync();
        var urgent = await QueueAsync(request => request with { Priority = 1 });

        Assert.Equal(urgent, (await TrainingLeases.ClaimAsync(TrainingPhase.Train, "w"))!.Run.Id);
    }

    [Fact]
    public async Task A_lease_that_is_renewed_holds_and_one_that_is_not_passes_on_and_writes_nothing_more()
    {
        var lost = await BeginAsync("first");
        await StepAsync(lost, 1);
        Clock.Advance(Options.Lease * 0.75);
        Assert.Equal(TrainingRunState.Running, await TrainingLeases.RenewAsync(lost));
        Clock.Advance(Options.Lease * 0.75);
        Assert.Null(await TrainingLeases.ClaimAsync(TrainingPhase.Train, "second"));
        Clock.Advance(Options.Lease);

        var taken = (await TrainingLeases.ClaimAsync(TrainingPhase.Train, "second"))!;

        Assert.Equal((lost.Run, 1), (taken.Run.Id, taken.Run.Losses));
        Assert.Null(await TrainingLeases.RenewAsync(lost));
        Assert.False(await StepAsync(lost, 2));
        Assert.False(await TrainingLeases.CheckpointAsync(lost, 1, 3));
        Assert.False(await TrainingLeases.NoteAsync(lost, TrainingEventLevel.Info, "late"));
        Assert.False(await TrainingLeases.SucceedAsync(lost, "file"));
        Assert.False(await TrainingLeases.FailAsync(lost, new("late", "late")));
        await TrainingLeases.ReleaseAsync(lost);
        Assert.Equal(("second", TrainingRunState.Running, 1), ((await Runs.ReadAsync(lost.Run, null)).Owner, (await Runs.ReadAsync(lost.Run, null)).State, (await Runs.MetricsAsync(lost.Run)).Count));
        await StepAsync(taken.Lease, 1);
        Assert.True(await TrainingLeases.CheckpointAsync(taken.Lease, 1, 3));
        Assert.Equal(0, (await Runs.ReadAsync(lost.Run, null)).Losses);
    }

    [Fact]
    public async Task A_worker_that_is_known_to_be_dead_holds_up_nobody()
    {
        var lost = await BeginAsync("dead");

        await Get<LeaseSweep>().EndLeasesOfAsync("dead");
        Clock.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Equal(lost.Run, (await TrainingLeases.ClaimAsync(TrainingPhase.Train, "next"))!.Run.Id);
    }

    [Fact]
    public async Task A_paused_run_is_nobodys_until_it_is_resumed_and_its_worker_hears_of_it()
    {
        var lease = await BeginAsync();

        Assert.Equal(TrainingRunState.Paused, (await Runs.PauseAsync(lease.Run)).State);

        Assert.Equal(TrainingRunState.Paused, await TrainingLeases.RenewAsync(lease));
        Assert.True(await StepAsync(lease, 1));
        Assert.True(await TrainingLeases.CheckpointAsync(lease, 1, 3));
        Assert.False(await TrainingLeases.SucceedAsync(lease, "file"));
        await TrainingLeases.ReleaseAsync(lease);
        Assert.Equal((TrainingRunState.Paused, null), ((await Runs.ReadAsync(lease.Run, null)).State, (await Runs.ReadAsync(lease.Run, null)).Owner));
        Assert.Null(await TrainingLeases.ClaimAsync(TrainingPhase.Train, "w"));
        Assert.Equal(TrainingRunState.Queued, (await Runs.ResumeAsync(lease.Run)).State);
        Assert.Equal(lease.Run, (await TrainingLeases.ClaimAsync(TrainingPhase.Train, "w"))!.Run.Id);
    }

    [Fact]
    public async Task A_run_that_is_paused_before_its_files_were_checked_is_checked_when_resumed()
    {
        var run = await CreateAsync();
        await Runs.PauseAsync(run);
        Assert.Null(await TrainingLeases.ClaimAsync(TrainingPhase.Validate, "w"));

        Assert.Equal(TrainingRunState.ValidatingFiles, (await Runs.ResumeAsync(run)).State);

        Assert.NotNull(await TrainingLeases.ClaimAsync(TrainingPhase.Validate, "w"));
    }

    [Fact]
    public async Task A_worker_may_pause_a_run_and_says_why()
    {
        var lease = await BeginAsync();

        Assert.True(await TrainingLeases.PauseAsync(lease, "No space left on device."));

        Assert.Equal(TrainingRunState.Paused, (await Runs.ReadAsync(lease.Run, null)).State);
        var said = (await Runs.EventsAsync(lease.Run, null, 1)).Single();
        Assert.Equal((TrainingEventLevel.Warn, "Fine-tuning job paused: No space left on device."), (said.Level, said.Message));
    }

    [Fact]
    public async Task A_cancelled_run_is_over_at_once_and_its_worker_makes_nothing_of_it()
    {
        var lease = await BeginAsync();

        var cancelled = await Runs.CancelAsync(lease.Run);

        Assert.Equal((TrainingRunState.Cancelled, Clock.GetUtcNow()), (cancelled.State, cancelled.FinishedAt));
        Assert.Equal(TrainingRunState.Cancelled, await TrainingLeases.RenewAsync(lease));
        Assert.False(await TrainingLeases.SucceedAsync(lease, "file"));
        await TrainingLeases.ReleaseAsync(lease);
        Assert.Equal(TrainingRunState.Cancelled, (await Runs.ReadAsync(lease.Run, null)).State);
        var refused = await Assert.ThrowsAsync<TrainingRunTransitionException>(() => Runs.ResumeAsync(lease.Run));
        Assert.Equal(TrainingRunState.Cancelled, refused.From);
    }

    [Fact]
    public async Task Only_a_paused_run_is_resumed_and_another_tenants_is_not_touched()
    {
        var run = await QueueAsync();

        await Assert.ThrowsAsync<TrainingRunTransitionException>(() => Runs.ResumeAsync(run));
        await Assert.ThrowsAsync<TrainingRunNotFoundException>(() => Runs.PauseAsync(run, "other"));
        Assert.Equal(TrainingRunState.Queued, (await Runs.ReadAsync(run, null)).State);
    }

    [Fact]
    public async Task A_run_whose_files_are_wrong_fails_with_the_rows_that_are_to_blame()
    {
        var run = await CreateAsync();
        var lease = (await TrainingLeases.ClaimAsync(TrainingPhase.Validate, "w"))!.Lease;

        Assert.True(await TrainingLeases.FailAsync(lease, new("invalid_training_file", "Line 3 is no JSON.", "training_file"), [new("file-1", 3, "invalid_json_line", "Line 3 is no JSON.", false)]));

        var failed = await Runs.ReadAsync(run, null);
        Assert.Equal((TrainingRunState.Failed, new TrainingFailure("invalid_training_file", "Line 3 is no JSON.", "training_file")), (failed.State, failed.Failure));
        Assert.Equal([new RowFinding("file-1", 3, "invalid_json_line", "Line 3 is no JSON.", false)], failed.Findings);
        Assert.Equal(TrainingEventLevel.Error, (await Runs.EventsAsync(run, null, 1)).Single().Level);
    }

    [Fact]
    public async Task Runs_are_listed_page_by_page_for_their_tenant()
    {
        var first = await CreateAsync();
        var second = await CreateAsync();
        var others = await CreateAsync(request => request with { Tenant = "other" });

        Assert.Equal([others, second, first], (await Runs.ListAsync(null, null, 10)).Select(run => run.Id));
        Assert.Equal([second], (await Runs.ListAsync("default", null, 1)).Select(run => run.Id));
        Assert.Equal([first], (await Runs.ListAsync("default", second, 10)).Select(run => run.Id));
    }

    [Fact]
    public async Task A_trained_model_is_known_until_its_owner_deletes_it()
    {
        var lease = await BeginAsync();
        await StepAsync(lease, 1);
        await TrainingLeases.SucceedAsync(lease, "file");
        var model = (await Runs.ListSucceededAsync()).Single().Model;

        Assert.False(await Runs.DeleteModelAsync(model, "other"));
        Assert.True(await Runs.DeleteModelAsync(model, "default"));
        Assert.False(await Runs.DeleteModelAsync(model, null));

        Assert.False((await Runs.ListSucceededAsync()).Single().HasModel);
    }

    [Fact]
    public async Task The_end_of_a_run_is_told_once_to_the_addresses_of_its_tenant()
    {
        var webhook = await Get<WebhookStore>().CreateAsync("default", "https://example.org", []);
        var others = await Get<WebhookStore>().CreateAsync("other", "https://example.org", []);
        var succeeded = await BeginAsync();
        await StepAsync(succeeded, 1);
        await Runs.PauseAsync(succeeded.Run);
        await TrainingLeases.ReleaseAsync(succeeded);
        await Runs.ResumeAsync(succeeded.Run);
        Assert.Empty(await ToldAsync(webhook));
        var lease = (await TrainingLeases.ClaimAsync(TrainingPhase.Train, "w"))!.Lease;
        Assert.True(await TrainingLeases.SucceedAsync(lease, "file"));
        Assert.False(await TrainingLeases.SucceedAsync(lease, "file"));
        var failed = await BeginAsync();
        Assert.True(await TrainingLeases.FailAsync(failed, new("worker_lost", "Gone.")));
        var cancelled = await CreateAsync();
        await Runs.CancelAsync(cancelled);
        await Assert.ThrowsAsync<TrainingRunTransitionException>(() => Runs.CancelAsync(cancelled));

        Assert.Equal(
            [("fine_tuning.job.cancelled", cancelled), ("fine_tuning.job.failed", failed.Run), ("fine_tuning.job.succeeded", lease.Run)],
            (await ToldAsync(webhook)).OrderBy(told => told.Type, StringComparer.Ordinal));
        Assert.Empty(await ToldAsync(others));
        Assert.Subset(WebhookStore.EventTypes.ToHashSet(), (await ToldAsync(webhook)).Select(told => told.Type).ToHashSet());

        async Task<List<(string Type, string? Run)>> ToldAsync(WebhookRecord address) =>
            [.. (await Get<WebhookStore>().DeliveriesAsync(address, null, null, 10)).Select(told => (told.Type, JsonNode.Parse(told.Payload)!["data"]!["id"]!.GetValue<string>()))];
    }

    [Fact]
    public async Task What_changes_a_run_rings_and_a_step_does_not()
    {
        var lease = await BeginAsync();
        using var listener = Get<ILedgerSignal>().Listen(LedgerTopic.TrainingChanged);
        // Whoever begins to listen on PostgreSQL hears once that he may have missed something.
        await RingsAsync(TimeSpan.FromSeconds(1));

        await StepAsync(lease, 1);
        Assert.False(await RingsAsync(TimeSpan.FromMilliseconds(200)));
        await Runs.PauseAsync(lease.Run);
        Assert.True(await RingsAsync(TimeSpan.FromSeconds(30)));

        async Task<bool> RingsAsync(TimeSpan within)
        {
            using CancellationTokenSource patience = new(within);
            try
            {
                await listener.WaitAsync(Timeout.InfiniteTimeSpan, patience.Token);
                return true;
            }
            catch (OperationCanceledException)
            {
                return false;
            }
        }
    }
}

public sealed class SqliteTrainingRunTests() : TrainingRunTests(new SqliteFile());

public sealed class PostgresTrainingRunTests() : TrainingRunTests(new PostgresTestDatabase());
