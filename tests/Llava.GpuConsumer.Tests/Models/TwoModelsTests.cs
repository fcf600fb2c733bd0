using Llava.Contracts.States;
using Llava.GpuConsumer.Models;
using Llava.Ledger.Workers;

namespace Llava.GpuConsumer.Tests.Models;

/// <summary>Jobs of two models through the whole pipeline of one worker.</summary>
public sealed class TwoModelsTests : IAsyncLifetime
{
    private readonly Pipeline _pipeline = new();
    private readonly ScriptedModels _models = new ScriptedModels().Add("a", 60).Add("b", 60);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _pipeline.DisposeAsync();

    [Fact]
    public async Task Two_models_that_do_not_fit_together_complete_their_jobs_in_turns()
    {
        await StartAsync(budget: 100);

        var a = await _pipeline.SubmitAsync(200, "a");
        var b = await _pipeline.SubmitAsync(200, "b");
        await _pipeline.WaitForAsync(a, JobState.Completed);
        await _pipeline.WaitForAsync(b, JobState.Completed);

        Assert.Equal(200, (await _pipeline.ResultsAsync(a)).Count(result => result.Result.Outcome == ItemOutcome.Succeeded));
        Assert.Equal(200, (await _pipeline.ResultsAsync(b)).Count(result => result.Result.Outcome == ItemOutcome.Succeeded));
        Assert.All(await _pipeline.ResultsAsync(b), result => Assert.Equal(1, result.Attempts));
        Assert.InRange(_models.Log.Count, 3, 20);
    }

    [Fact]
    public async Task Jobs_of_a_model_that_cannot_be_loaded_wait_and_others_are_completed()
    {
        _models.Loading = model => model == "b" ? throw new IOException("The weights are cut short.") : Task.CompletedTask;
        await StartAsync(budget: 200);

        var broken = await _pipeline.SubmitAsync(8, "b");
        var whole = await _pipeline.SubmitAsync(80, "a");
        await _pipeline.WaitForAsync(whole, JobState.Completed);

        Assert.Empty(await _pipeline.ResultsAsync(broken));
        Assert.False((await _pipeline.Jobs.ReadAsync(broken)).State.IsFinal());
        var served = Assert.Single(await _pipeline.Get<WorkerRegistry>().ListAsync()).Models;
        Assert.Equal([("a", ModelState.Loaded, null), ("b", ModelState.Failed, "The weights are cut short.")], served.Select(model => (model.Name, model.State, model.Failure)));
    }

    [Fact]
    public async Task A_repaired_model_takes_its_waiting_jobs_up_without_an_attempt_lost()
    {
        var isBroken = true;
        _models.Loading = model => isBroken && model == "b" ? throw new IOException("The weights are cut short.") : Task.CompletedTask;
        await StartAsync(budget: 200);
        var job = await _pipeline.SubmitAsync(24, "b");
        await _pipeline.WaitForAsync(job, JobState.Queued);

        isBroken = false;
        _pipeline.Clock.Advance(TimeSpan.FromMinutes(2));
        await _pipeline.WaitForAsync(job, JobState.Completed);

        Assert.All(await _pipeline.ResultsAsync(job), result => Assert.Equal((ItemOutcome.Succeeded, 1), (result.Result.Outcome, result.Attempts)));
    }

    [Fact]
    public async Task A_model_that_can_never_fit_stops_the_start()
    {
        _models.Add("b", 150);

        await Assert.ThrowsAsync<ModelTooLargeException>(() => StartAsync(budget: 100));
    }

    private Task StartAsync(long budget) => _pipeline.StartAsync(_models, "a", options =>
    {
        options.Models = ["a", "b"];
        options.MemoryBudget = budget;
        options.Turn = TimeSpan.FromSeconds(5);
    });
}
