using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Dashboard.Estimates;
using Llava.Ledger.Chunks;
using Llava.Ledger.Estimates;
using Llava.Ledger.Expansion;
using Llava.Ledger.Keys;
using Llava.Ledger.Results;
using Llava.Ledger.Sampling;
using Llava.Contracts.States;
using Microsoft.Extensions.DependencyInjection;

namespace Llava.Dashboard.Tests.Api;

/// <summary>Estimates before a job starts, and the sample that goes on as the same job.</summary>
public sealed class SampleEndpointTests : IAsyncLifetime
{
    private readonly Server _server = new Server().With(services => services.AddSingleton<IJobSurvey, ScriptedSurvey>());
    private HttpClient _caller = null!;

    public async Task InitializeAsync()
    {
        await _server.InitializeAsync();
        _caller = await _server.CallerAsync(AccessRole.Operator);
    }

    public async Task DisposeAsync()
    {
        _caller.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task An_estimate_says_what_it_is_based_on_and_submits_nothing()
    {
        var before = await EstimateAsync(Server.Request());
        await _server.FinishedJobAsync(items: 20);
        var after = await EstimateAsync(Server.Request());
        using var jobs = await _caller.GetAsync(new Uri("/api/v1/jobs", UriKind.Relative));

        Assert.Equal(("none", 500), (before.GetProperty("basis").GetString(), before.GetProperty("items").GetInt32()));
        Assert.Contains("no calibration yet", before.GetProperty("explanation").GetString(), StringComparison.Ordinal);
        Assert.Contains("'sample'", before.GetProperty("explanation").GetString(), StringComparison.Ordinal);
        Assert.False(before.TryGetProperty("seconds", out _));
        Assert.Equal(7, before.GetProperty("prompt_tokens").GetProperty("mean").GetDouble());
        // All twenty were recorded at once, which is no pace to count on.
        Assert.Equal("none", after.GetProperty("basis").GetString());
        Assert.Single((await Server.JsonAsync(jobs)).GetProperty("data").EnumerateArray());
    }

    [Fact]
    public async Task What_breaks_rules_is_refused_with_all_findings()
    {
        using var response = await _caller.PostAsJsonAsync("/api/v1/jobs/estimate", new { model = "", sample = 0, source = new { kind = "folder", path = "/data" } });

        Assert.Equal((HttpStatusCode)422, response.StatusCode);
        Assert.Equal(["model", "sample"], (await Server.JsonAsync(response)).GetProperty("error").GetProperty("findings").EnumerateArray().Select(finding => finding.GetProperty("field").GetString()));
    }

    [Fact]
    public async Task A_viewer_may_not_have_the_servers_folders_read()
    {
        using var viewer = await _server.CallerAsync(AccessRole.Viewer);
        using var response = await viewer.PostAsJsonAsync("/api/v1/jobs/estimate", Server.Request());

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    [Fact]
    public async Task A_sampled_job_shows_its_estimate_and_resume_goes_on_with_it()
    {
        using var submitted = await _caller.PostAsJsonAsync("/api/v1/jobs", new { model = "scenes", prompt = "?", sample = 4, chunk_items = 8, source = new { kind = "folder", path = "/data" } });
        var job = JobId.Parse((await Server.JsonAsync(submitted)).GetProperty("id").GetString()!);
        await _server.Get<JobExpansion>().AppendAsync(job, 0, [.. Enumerable.Range(0, 40).Select(i => new ExpandedItem(new($"{i}", [$"/data/{i}.jpg"]))).Chunk(8).Select(chunk => new ExpandedChunk(chunk, 8))], "end");
        await _server.Get<JobExpansion>().FinishAsync(job);
        var running = await JobAsync(job);
        foreach (var chunk in await _server.Get<ChunkDispatch>().WaitingAsync(job, 100))
        {
            var claimed = (await _server.Get<ChunkLeases>().ClaimAsync(job, chunk.ChunkNo, 0, "w"))!;
            await _server.Get<ResultWriter>().CommitAsync(
                claimed.Lease, [.. claimed.Items.Select(item => new FinishedItem { ItemNo = item.ItemNo, Outcome = ItemOutcome.Succeeded, Text = "a", FinishReason = "stop", Usage = new(10, 5), Timings = new(0, 0, 100, 900) })], completesChunk: true);
        }

        await _server.Get<JobSampling>().PauseSampledAsync();
        var waits = await JobAsync(job);
        using var resumed = await _caller.PostAsync(new Uri($"/api/v1/jobs/{job}/resume", UriKind.Relative), null);
        var goesOn = await Server.JsonAsync(resumed);

        Assert.Equal(("running", 4), (running.GetProperty("sample").GetProperty("state").GetString(), running.GetProperty("sample").GetProperty("records").GetInt32()));
        Assert.Equal(("paused", "done"), (waits.GetProperty("state").GetString(), waits.GetProperty("sample").GetProperty("state").GetString()));
        var estimate = waits.GetProperty("sample").GetProperty("estimate");
        Assert.Equal(("sample", 36, 5.0), (estimate.GetProperty("basis").GetString(), estimate.GetProperty("items").GetInt32(), estimate.GetProperty("completion_tokens").GetProperty("mean").GetDouble()));
        Assert.True(estimate.GetProperty("seconds").GetDouble() > 0);
        Assert.Equal(("queued", "continued", 4), (goesOn.GetProperty("state").GetString(), goesOn.GetProperty("sample").GetProperty("state").GetString(), goesOn.GetProperty("counts").GetProperty("succeeded").GetInt32()));
    }

    private async Task<JsonElement> EstimateAsync(object request)
    {
        using var response = await _caller.PostAsJsonAsync("/api/v1/jobs/estimate", request);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await Server.JsonAsync(response);
    }

    private async Task<JsonElement> JobAsync(JobId job)
    {
        using var response = await _caller.GetAsync(new Uri($"/api/v1/jobs/{job}", UriKind.Relative));
        return await Server.JsonAsync(response);
    }

    private sealed class ScriptedSurvey : IJobSurvey
    {
        public Task<SourceSurvey> OfAsync(JobRequest request, CancellationToken cancellationToken) => Task.FromResult(new SourceSurvey { Items = 500, Rejected = 1, PromptTokens = [6, 8] });
    }
}
