using System.Text.Json;
using Llava.Contracts.Requests;

namespace Llava.Dashboard.Tests.OpenAi.FineTuning;

/// <summary>Jobs that start from a base or come after other jobs, which OpenAI does not have.</summary>
public sealed class StageContractTests : IAsyncLifetime
{
    private readonly FineTuningServer _server = new();

    public Task InitializeAsync() => _server.InitializeAsync();

    public Task DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Alignment_starts_from_a_base_of_a_live_worker_and_nothing_else_does()
    {
        var job = await _server.CreateAsync(("model", "\"vicuna\""), ("mode", "\"alignment\""));
        var unknown = await _server.RefusalAsync(("mode", "\"alignment\""));
        var asked = await _server.RefusalAsync(("model", "\"vicuna\""));
        var worker = (await _server.GetAsync("/api/v1/workers")).GetProperty("data")[0];

        Assert.Equal(("vicuna", "alignment"), (Text(job, "model"), Text(job, "x_mode")));
        Assert.Equal((404, "model_not_found", "model"), (unknown.Status, unknown.Code, unknown.Param));
        Assert.Contains("those there are: vicuna.", unknown.Message, StringComparison.Ordinal);
        Assert.Equal((404, "model_not_found"), (asked.Status, asked.Code));
        Assert.Equal("vicuna", worker.GetProperty("bases")[0].GetString());
    }

    [Fact]
    public async Task A_job_after_another_names_no_model_waits_and_fails_with_the_first()
    {
        var first = Text(await _server.CreateAsync(), "id")!;

        var second = await _server.CreateAsync(("model", "\"\""), ("after", JsonSerializer.Serialize(first)));

        Assert.Equal(("queued", "waiting", first), (Text(second, "status"), Text(second, "x_state"), Text(second, "x_after")));
        Assert.Equal((await _server.Runs.ReadAsync(first, null)).Model, Text(second, "model"));
        await _server.PostAsync($"{FineTuningServer.Jobs}/{first}/cancel");
        var failed = await _server.GetAsync($"{FineTuningServer.Jobs}/{Text(second, "id")}");
        Assert.Equal(("failed", "previous_failed"), (Text(failed, "status"), Text(failed.GetProperty("error"), "code")));
    }

    [Fact]
    public async Task A_job_that_is_not_there_or_another_tenants_is_refused_by_its_id()
    {
        var others = (await _server.Runs.CreateAsync(new TrainingRequest { Tenant = "other", Model = "m", TrainingFile = "f" })).Id;

        foreach (var run in new[] { others, "ftjob-none" })
        {
            var refused = await _server.RefusalAsync(("model", "\"\""), ("after", JsonSerializer.Serialize(run)));
            Assert.Equal((400, "invalid_value", "after"), (refused.Status, refused.Code, refused.Param));
            Assert.Contains(run, refused.Message, StringComparison.Ordinal);
        }
    }

    private static string? Text(JsonElement json, string field) => json.GetProperty(field).GetString();
}
