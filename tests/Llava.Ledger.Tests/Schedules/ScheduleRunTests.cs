using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Ledger.Files;
using Llava.Ledger.Promotions;
using Llava.Ledger.Schedules;
using Llava.Ledger.Training;
using Microsoft.Extensions.DependencyInjection;

namespace Llava.Ledger.Tests.Schedules;

/// <summary>Schedules that train and evaluate. The same on every database.</summary>
public abstract class ScheduleRunTests(TestDatabase database) : ScheduleFixture(database)
{
    private readonly DirectoryInfo _files = Directory.CreateTempSubdirectory("llava-schedule-files-");

    private TrainingRuns Runs => Get<TrainingRuns>();

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        _files.Delete(recursive: true);
    }

    [Fact]
    public async Task A_fire_asks_for_a_training_run_on_the_file_that_was_named()
    {
        var schedule = await Schedules.AddAsync(Weekly(file: "file-1"));
        MoveTo("2026-03-02T01:30:07Z");

        var fire = await Firing.SubmitDueAsync(schedule.Id);
        var again = await Firing.SubmitDueAsync(schedule.Id);

        var run = await Runs.ReadAsync(fire.Run!, Tenant);
        Assert.Equal((ScheduleOutcome.Submitted, null, ScheduleOutcome.NotDue), (fire.Outcome, fire.Job, again.Outcome));
        Assert.Equal(("file-1", Model, TrainingMode.Projector, TrainingRunState.ValidatingFiles), (run.Request.TrainingFile, run.Request.Model, run.Request.Settings.Mode, run.State));
        Assert.Equal([run.Id], (await Schedules.RunsAsync(schedule.Id)).Select(found => found.Id));
        Assert.Equal((Clock.GetUtcNow(), null), ((await Schedules.ReadAsync(Tenant, Name)).LastRunAt!.Value, (await Schedules.ReadAsync(Tenant, Name)).LastError));
    }

    [Fact]
    public async Task A_run_of_a_schedule_may_have_its_model_promoted()
    {
        var weekly = Weekly(file: "file-1");
        await Schedules.AddAsync(weekly with { Training = weekly.Training! with { Promotion = new() { Name = "best", Evaluate = Evaluation().Request! } } });

        var fire = await Firing.RunAsync(Tenant, Name);

        var promotion = Assert.Single(await Get<PromotionStore>().ListAsync(Tenant, 10));
        Assert.Equal(("best", fire.Run, null), (promotion.Name, promotion.Run, promotion.Holds));
    }

    [Fact]
    public async Task Several_processes_make_one_run_of_a_fire()
    {
        var schedule = await Schedules.AddAsync(Weekly(file: "file-1") with { Overlap = ScheduleOverlap.Queue });
        await using var other = Open();
        MoveTo("2026-03-02T01:30:00Z");

        var fires = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => (i % 2 == 0 ? Firing : other.GetRequiredService<ScheduleFiring>()).SubmitDueAsync(schedule.Id)));

        Assert.Single(fires, fire => fire.Outcome == ScheduleOutcome.Submitted);
        Assert.Single(await Runs.ListAsync(null, null, 10));
    }

    [Fact]
    public async Task The_newest_file_is_learned_from_once_where_only_new_ones_are_wanted()
    {
        await Schedules.AddAsync(Weekly(ScheduleDefinition.NewestFile) with { OnlyNew = true });
        var none = await Firing.RunAsync(Tenant, Name);
        await KeepAsync("a", "fine-tune");
        await KeepAsync("b", "batch");
        var first = await Firing.RunAsync(Tenant, Name);
        await Runs.CancelAsync(first.Run!);
        Clock.Advance(TimeSpan.FromMinutes(1));
        var afterNothingWasLearned = await Firing.RunAsync(Tenant, Name);
        await SucceedAsync(afterNothingWasLearned.Run!);
        Clock.Advance(TimeSpan.FromMinutes(1));
        var nothingNew = await Firing.RunAsync(Tenant, Name);
        var newer = await KeepAsync("c", "fine-tune");
        var second = await Firing.RunAsync(Tenant, Name);

        Assert.Equal((ScheduleOutcome.Refused, ScheduleOutcome.Submitted, ScheduleOutcome.Submitted, ScheduleOutcome.Skipped, ScheduleOutcome.Submitted),
            (none.Outcome, first.Outcome, afterNothingWasLearned.Outcome, nothingNew.Outcome, second.Outcome));
        Assert.Contains("no file to learn from", none.Reason, StringComparison.Ordinal);
        Assert.Contains("no newer file", nothingNew.Reason, StringComparison.Ordinal);
        Assert.Equal(newer, (await Runs.ReadAsync(second.Run!, Tenant)).Request.TrainingFile);
    }

    [Fact]
    public async Task A_fire_is_left_out_while_the_run_before_is_not_over()
    {
        await Schedules.AddAsync(Weekly(file: "file-1"));
        var first = await Firing.RunAsync(Tenant, Name);
        Clock.Advance(TimeSpan.FromMinutes(1));

        var second = await Firing.RunAsync(Tenant, Name);

        Assert.Equal((ScheduleOutcome.Skipped, first.Run), (second.Outcome, second.Run));
        Assert.Contains("validating_files", (await Schedules.ReadAsync(Tenant, Name)).LastError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Runs_stay_when_their_schedule_is_removed()
    {
        await Schedules.AddAsync(Weekly(file: "file-1"));
        var fire = await Firing.RunAsync(Tenant, Name);

        Assert.Empty(await Schedules.DeleteAsync(Tenant, Name));

        Assert.NotNull(await Runs.FindAsync(fire.Run!, Tenant));
    }

    [Fact]
    public async Task An_evaluation_makes_a_job_whose_answers_are_scored()
    {
        await Schedules.AddAsync(Evaluation());

        var job = await Jobs.ReadAsync((await Firing.RunAsync(Tenant, Name)).Job!.Value);

        Assert.Equal("answer", job.Request.Expected);
    }

    [Fact]
    public async Task A_schedule_says_what_its_kind_makes_and_nothing_else()
    {
        Assert.Equal(["training"], await FieldsAsync(Weekly(file: "file-1") with { Training = null }));
        Assert.Equal(["request"], await FieldsAsync(Nightly() with { Request = null }));
        Assert.Equal(["training"], await FieldsAsync(Weekly(file: "file-1") with { Request = Request() }));
        Assert.Equal(["request.expected", "only_new"], await FieldsAsync(Evaluation() with { OnlyNew = true, Request = Evaluation().Request! with { Expected = null } }));
        Assert.Equal(["request.sample"], await FieldsAsync(Nightly() with { Request = Request() with { Sample = 5 } }));
        Assert.Equal(["training.n_epochs"], await FieldsAsync(Weekly(file: "file-1") with { Training = Weekly("file-1").Training! with { Settings = new() { Epochs = 99 } } }));
        Assert.Equal(["training.after"], await FieldsAsync(Weekly(file: "file-1") with { Training = Weekly("file-1").Training! with { After = "ftjob-1" } }));
        Assert.Empty(await Schedules.ListAsync());

        async Task<IEnumerable<string>> FieldsAsync(ScheduleDefinition wrong) =>
            (await Assert.ThrowsAsync<InvalidScheduleException>(() => Schedules.AddAsync(wrong))).Findings.Select(finding => finding.Field);
    }

    private static ScheduleDefinition Weekly(string file) => Nightly() with
    {
        Kind = ScheduleKind.Finetune,
        Request = null,
        Training = new() { Model = Model, TrainingFile = file, Settings = new() { Mode = TrainingMode.Projector } },
    };

    private static ScheduleDefinition Evaluation() =>
        Nightly() with { Kind = ScheduleKind.Evaluate, Request = Request() with { Source = new() { Kind = SourceKind.Questions, Path = "q.jsonl" }, Expected = "answer" } };

    private async Task<string> KeepAsync(string name, string purpose)
    {
        await using var ledger = new ServiceCollection()
            .AddSingleton<TimeProvider>(Clock)
            .AddLlavaLedger(options => options.Configure(TestDatabase.Configure))
            .AddLlavaFiles(options => options.Configure(files => files.Folder = _files.FullName))
            .BuildServiceProvider();
        Clock.Advance(TimeSpan.FromMilliseconds(5));
        using MemoryStream content = new([1, 2, 3]);
        return (await ledger.GetRequiredService<FileStore>().CreateAsync(Tenant, new(name, purpose), content, long.MaxValue)).Id;
    }

    private async Task SucceedAsync(string run)
    {
        var leases = Get<TrainingLeases>();
        var claimed = (await leases.ClaimAsync(TrainingPhase.Validate, "w"))!;
        Assert.Equal(run, claimed.Run.Id);
        await leases.QueueAsync(claimed.Lease, new() { Epochs = 1, BatchSize = 1, LearningRate = 1e-4 }, 1, []);
        var lease = (await leases.ClaimAsync(TrainingPhase.Train, "w"))!.Lease;
        Assert.True(await leases.SucceedAsync(lease, "file-result"));
    }
}

public sealed class SqliteScheduleRunTests() : ScheduleRunTests(new SqliteFile());

public sealed class PostgresScheduleRunTests() : ScheduleRunTests(new PostgresTestDatabase());
