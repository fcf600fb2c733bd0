using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Llava.Contracts.States;
using Llava.Ledger.Jobs;
using Llava.Ledger.Keys;
using Llava.Ledger.Workers;

namespace Llava.Dashboard.Tests.Api;

/// <summary>Reading, streaming and controlling jobs.</summary>
public sealed class JobEndpointTests : IAsyncLifetime
{
    private readonly Server _server = new();
    private HttpClient _caller = null!;

    public async Task InitializeAsync()
    {
        await _server.InitializeAsync();
        _caller = await _server.CallerAsync(AccessRole.Operator);
    }

    public Task DisposeAsync()
    {
        _caller.Dispose();
        return _server.DisposeAsync();
    }

    [Fact]
    public async Task A_job_says_its_state_counts_and_causes()
    {
        var job = await _server.FinishedJobAsync(items: 10, codeOf: item => item < 3 ? "image_unreadable" : item == 3 ? "prompt_too_long" : null);

        var json = await GetAsync($"jobs/{job}");

        Assert.Equal("completed", json.GetProperty("state").GetString());
        Assert.Equal((10, 6, 4), (Count("total"), Count("succeeded"), Count("failed")));
        Assert.Equal(["image_unreadable 3 0", "prompt_too_long 1 3"], json.GetProperty("errors").EnumerateArray().Select(error => $"{error.GetProperty("code")} {error.GetProperty("count")} {error.GetProperty("first_item")}"));

        int Count(string name) => json.GetProperty("counts").GetProperty(name).GetInt32();
    }

    [Fact]
    public async Task Jobs_are_listed_newest_first_in_pages_and_by_state()
    {
        List<string> jobs = [];
        for (var i = 0; i < 5; i++)
        {
            jobs.Insert(0, (await Server.SubmitAsync(_caller)).ToString());
            await Task.Delay(2); // ids of one millisecond have no order
        }

        await PostAsync($"jobs/{jobs[1]}/pause");
        List<string> paged = [];
        for (var after = ""; after is not null;)
        {
            var page = await GetAsync($"jobs?limit=2{after}");
            paged.AddRange(page.GetProperty("data").EnumerateArray().Select(job => job.GetProperty("id").GetString()!));
            after = page.TryGetProperty("next", out var next) ? $"&after={next}" : null;
        }

        Assert.Equal(jobs, paged);
        Assert.Equal(jobs[1], Assert.Single((await GetAsync("jobs?state=paused")).GetProperty("data").EnumerateArray()).GetProperty("id").GetString());
    }

    [Fact]
    public async Task Results_come_a_line_each_in_order_and_go_on_after_any_item()
    {
        var job = await _server.FinishedJobAsync(items: 1500, codeOf: item => item % 3 == 1 ? "image_unreadable" : null);

        Assert.Equal(Enumerable.Range(0, 1500), await ItemsAsync($"jobs/{job}/results"));
        Assert.Equal(Enumerable.Range(777, 1500 - 777), await ItemsAsync($"jobs/{job}/results?after=776"));
        Assert.Equal(Enumerable.Range(0, 500).Select(i => (i * 3) + 1), await ItemsAsync($"jobs/{job}/results?outcome=failed"));
        Assert.Empty(await ItemsAsync($"jobs/{job}/results?code=other"));
        var line = JsonSerializer.Deserialize<JsonElement>((await LinesAsync($"jobs/{job}/results?after=-1"))[0]);
        Assert.Equal(("item-0", "Describe.", "answer 0", "succeeded"), (Text("custom_id"), Text("prompt"), Text("text"), Text("outcome")));

        string Text(string name) => line.GetProperty(name).GetString()!;
    }

    [Fact]
    public async Task Many_results_are_sent_while_they_are_read_and_need_no_memory_of_their_size()
    {
        const int items = 60_000;
        var job = await _server.FinishedJobAsync(items);
        await LinesAsync($"jobs/{job}/results?after={items - 2}"); // whatever is loaded once is loaded
        var before = GC.GetTotalMemory(forceFullCollection: true);

        using var response = await _caller.GetAsync(new Uri($"/api/v1/jobs/{job}/results", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
        using StreamReader lines = new(await response.Content.ReadAsStreamAsync());
        Assert.Null(response.Content.Headers.ContentLength);
        var (count, bytes) = (0, 0L);
        for (string? line; (line = await lines.ReadLineAsync()) is not null; count++, bytes += line.Length)
        {
            if (count == 1000)
            {
                // The reader stands still here: had the server gone on by itself, all of it would lie in memory.
                Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 8 << 20);
            }
        }

        Assert.Equal(items, count);
        Assert.True(bytes > 16 << 20, $"{bytes} bytes are too few to tell.");
    }

    [Fact]
    public async Task A_job_is_paused_resumed_and_cancelled_and_what_cannot_be_is_a_conflict()
    {
        var job = await Server.SubmitAsync(_caller);

        Assert.Equal("paused", StateOf(await PostAsync($"jobs/{job}/pause")));
        Assert.Equal("validating", StateOf(await PostAsync($"jobs/{job}/resume")));
        Assert.Equal("cancelling", StateOf(await PostAsync($"jobs/{job}/cancel")));
        Assert.Equal("cancelling", StateOf(await PostAsync($"jobs/{job}/cancel")));
        using var refused = await _caller.PostAsync(new Uri($"/api/v1/jobs/{job}/pause", UriKind.Relative), null);
        Assert.Equal((HttpStatusCode.Conflict, "job_state_conflict"), ((await Server.ErrorAsync(refused)).Status, (await Server.ErrorAsync(refused)).Code));
        using var retried = await _caller.PostAsync(new Uri($"/api/v1/jobs/{job}/retry", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.Conflict, retried.StatusCode);

        static string StateOf(JsonElement json) => json.GetProperty("state").GetString()!;
    }

    [Fact]
    public async Task A_retry_takes_all_that_failed_or_the_named_causes_and_never_answers()
    {
        var job = await _server.FinishedJobAsync(items: 4, codeOf: item => item switch { 0 => "image_unreadable", 1 => "prompt_too_long", _ => null });

        var named = await PostAsync($"jobs/{job}/retry", new { codes = new[] { "prompt_too_long" } });
        var all = await PostAsync($"jobs/{job}/retry");
        using var answers = await _caller.PostAsJsonAsync($"/api/v1/jobs/{job}/retry", new { outcomes = new[] { "succeeded" } });

        Assert.Equal((1, "queued"), (named.GetProperty("retried_items").GetInt32(), named.GetProperty("job").GetProperty("state").GetString()));
        Assert.Equal(1, all.GetProperty("retried_items").GetInt32());
        Assert.Equal((HttpStatusCode.UnprocessableEntity, "outcomes"), ((await Server.ErrorAsync(answers)).Status, (await Server.ErrorAsync(answers)).Param));
        Assert.Equal(JobState.Queued, (await _server.Get<JobReader>().ReadAsync(job)).State);
    }

    [Fact]
    public async Task Models_and_workers_are_those_that_live()
    {
        var workers = _server.Get<WorkerRegistry>();
        await workers.HeartbeatAsync(new() { Id = "w1", Host = "h", ProcessId = 1, ProcessStart = default, Models = [new("llava", "r1", 8)] });
        await workers.HeartbeatAsync(new() { Id = "w2", Host = "h", ProcessId = 2, ProcessStart = default, Models = [new("llava", "r2", 4), new("scenes", "r1", 1)] });

        var models = (await GetAsync("models")).GetProperty("data").EnumerateArray().Select(model => $"{model.GetProperty("id")} {model.GetProperty("slots")} {model.GetProperty("workers")}");

        Assert.Equal(["llava 12 2", "scenes 1 1"], models);
        Assert.Equal(["w1", "w2"], (await GetAsync("workers")).GetProperty("data").EnumerateArray().Select(worker => worker.GetProperty("id").GetString()));
    }

    private async Task<JsonElement> GetAsync(string path)
    {
        using var response = await _caller.GetAsync(new Uri("/api/v1/" + path, UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await Server.JsonAsync(response);
    }

    private async Task<JsonElement> PostAsync(string path, object? body = null)
    {
        using var response = await _caller.PostAsync(new Uri("/api/v1/" + path, UriKind.Relative), body is null ? null : JsonContent.Create(body));
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        return await Server.JsonAsync(response);
    }

    private async Task<string[]> LinesAsync(string path) =>
        (await _caller.GetStringAsync(new Uri("/api/v1/" + path, UriKind.Relative))).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private async Task<IEnumerable<int>> ItemsAsync(string path) =>
        (await LinesAsync(path)).Select(line => JsonSerializer.Deserialize<JsonElement>(line).GetProperty("item_no").GetInt32());
}
