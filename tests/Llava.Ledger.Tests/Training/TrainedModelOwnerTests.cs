using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Ledger.Batches;
using Llava.Ledger.Schedules;
using Llava.Ledger.Training;

namespace Llava.Ledger.Tests.Training;

/// <summary>Whose trained models are. The same on every database.</summary>
public abstract class TrainedModelOwnerTests(TestDatabase database) : TrainingFixture(database)
{
    private TrainedModelOwners Owners => Get<TrainedModelOwners>();

    [Fact]
    public async Task A_trained_model_is_its_tenants_and_no_others()
    {
        var model = await ModelAsync("archive");

        Assert.True(await Owners.MayUseAsync("archive", model));
        Assert.True(await Owners.MayUseAsync(null, model));
        Assert.False(await Owners.MayUseAsync("museum", model));
        Assert.False(await Owners.MayUseAsync("museum", TrainingCheckpointRecord.ModelName(model, 4)));
        Assert.True(await Owners.MayUseAsync("museum", "scenes"));
        Assert.True(await Owners.MayUseAsync("museum", "ft:scenes:elsewhere:x:00000000"));
        Assert.Equal(["scenes"], await Owners.UsableAsync("museum", [model, "scenes"]));
    }

    [Fact]
    public async Task A_job_a_batch_and_a_run_of_another_tenant_cannot_ask_for_it()
    {
        var model = await ModelAsync("archive");
        var foreign = Request() with { Tenant = "museum", Model = model };

        var refused = await Assert.ThrowsAsync<InvalidJobRequestException>(() => Submission.SubmitAsync(foreign));
        await Assert.ThrowsAsync<InvalidJobRequestException>(() => Get<BatchStore>().CreateAsync(new("file-1", "/v1/chat/completions", "24h"), foreign));
        var run = await Assert.ThrowsAsync<InvalidTrainingRequestException>(() => Runs.CreateAsync(Asked(request => request with { Tenant = "museum", Model = model })));

        var further = await Assert.ThrowsAsync<InvalidJobRequestException>(() => Submission.SubmitAsync(
            Request() with { Tenant = "museum", Source = new() { Kind = SourceKind.OpenAiBatch, Path = "lines.jsonl", Models = ["other", model] } }));

        Assert.Contains(model, further.Message, StringComparison.Ordinal);
        Assert.Equal(("model", "model"), (Assert.Single(refused.Findings).Field, Assert.Single(run.Findings).Field));
        Assert.Empty(await Jobs.ListAsync(new()));
        Assert.True((await Submission.SubmitAsync(foreign with { Tenant = "archive" })).IsNew);
    }

    [Fact]
    public async Task A_schedule_that_asks_for_it_makes_no_job_and_says_why()
    {
        var model = await ModelAsync("archive");
        var schedule = await Get<ScheduleStore>().AddAsync(new() { Name = "nightly", Kind = ScheduleKind.Annotate, Cron = "0 2 * * *", Request = Request() with { Tenant = "museum", Model = model } });
        Clock.Advance(TimeSpan.FromDays(1));

        var fire = await Get<ScheduleFiring>().SubmitDueAsync(schedule.Id);

        Assert.Equal(ScheduleOutcome.Refused, fire.Outcome);
        Assert.Contains(model, fire.Reason, StringComparison.Ordinal);
        Assert.Empty(await Jobs.ListAsync(new()));
    }

    private async Task<string> ModelAsync(string tenant) => (await Runs.ReadAsync(await CreateAsync(request => request with { Tenant = tenant }), null)).Model;
}

public sealed class SqliteTrainedModelOwnerTests() : TrainedModelOwnerTests(new SqliteFile());

public sealed class PostgresTrainedModelOwnerTests() : TrainedModelOwnerTests(new PostgresTestDatabase());
