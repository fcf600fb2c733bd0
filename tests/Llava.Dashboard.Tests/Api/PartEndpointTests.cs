using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Llava.Contracts;
using Llava.Ledger.Expansion;
using Llava.Ledger.Keys;

namespace Llava.Dashboard.Tests.Api;

/// <summary>Adding sources to open jobs and closing them.</summary>
public sealed class PartEndpointTests(Server server) : IClassFixture<Server>, IAsyncLifetime
{
    private HttpClient _caller = null!;

    public async Task InitializeAsync() => _caller = await server.CallerAsync(AccessRole.Operator);

    public Task DisposeAsync()
    {
        _caller.Dispose();
        return Task.CompletedTask;
    }

    [Fact]
    public async Task An_open_job_shows_its_parts_and_what_became_of_them()
    {
        var job = await SubmitOpenAsync();
        using var first = await AppendAsync(job, Part("/data/more"));
        using var second = await AppendAsync(job, Part("/data/none"));
        await server.Get<JobExpansion>().AppendAsync(job, 0, [new([new(new("own", ["/data/own.jpg"]))], 1)], "end");
        await server.Get<JobExpansion>().FinishAsync(job);
        await server.Get<PartExpansion>().AppendAsync(job, 1, 1, [new([new(new("a", ["/data/a.jpg"])), new(new("b", ["/data/b.jpg"]))], 1)], "end");
        await server.Get<PartExpansion>().FinishAsync(job, 1);
        await server.Get<PartExpansion>().FailAsync(job, 2, new("source_not_found", "There is no folder '/data/none'."));

        var shown = await GetAsync(job);

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.Created), (first.StatusCode, second.StatusCode));
        Assert.Equal((1, "waiting", 0), Brief(await Server.JsonAsync(first)));
        Assert.True(shown.GetProperty("open").GetBoolean());
        Assert.Equal([(1, "done", 2), (2, "failed", 0)], shown.GetProperty("parts").EnumerateArray().Select(Brief));
        Assert.Equal(("/data/more", "folder"), (shown.GetProperty("parts")[0].GetProperty("source").GetProperty("path").GetString(), shown.GetProperty("parts")[0].GetProperty("source").GetProperty("kind").GetString()));
        Assert.False(shown.GetProperty("parts")[0].TryGetProperty("error", out _));
        Assert.Equal("source_not_found", shown.GetProperty("parts")[1].GetProperty("error").GetProperty("code").GetString());
        Assert.Equal(3, shown.GetProperty("counts").GetProperty("total").GetInt32());
    }

    [Fact]
    public async Task A_key_finds_its_part_again_and_another_source_under_it_is_a_conflict()
    {
        var job = await SubmitOpenAsync();
        using var first = await AppendAsync(job, Part("/data/more", "k"));
        using var again = await AppendAsync(job, Part("/data/more", "k"));
        using var other = await AppendAsync(job, Part("/data/other", "k"));

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.OK), (first.StatusCode, again.StatusCode));
        Assert.Equal((await Server.JsonAsync(first)).ToString(), (await Server.JsonAsync(again)).ToString());
        Assert.Equal((HttpStatusCode.Conflict, "idempotency_conflict"), await CodeAsync(other));
    }

    [Fact]
    public async Task A_closed_job_takes_no_more_and_closing_it_twice_is_no_error()
    {
        var job = await SubmitOpenAsync();

        Assert.False((await CloseAsync(job)).GetProperty("open").GetBoolean());
        Assert.False((await CloseAsync(job)).GetProperty("open").GetBoolean());

        using var late = await AppendAsync(job, Part("/data/more"));
        Assert.Equal((HttpStatusCode.Conflict, "job_closed"), await CodeAsync(late));
        using var over = await AppendAsync(await server.FinishedJobAsync(items: 1), Part("/data/more"));
        Assert.Equal((HttpStatusCode.Conflict, "job_closed"), await CodeAsync(over));
        Assert.Contains("is completed and not open", (await Server.ErrorAsync(over)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"source": {"kind": "folder", "path": ""}}""", 422, "source.path")]
    [InlineData("""{"source": {"kind": "folder", "path": "/data"}, "idempotency_key": ""}""", 422, "idempotency_key")]
    [InlineData("""{"source": {"kind": "folder", "path": "/data"}, "prompt": "Why?"}""", 422, "prompt")]
    [InlineData("""{"source": {"kind": "zip", "path": "/data"}}""", 422, "source.kind")]
    [InlineData("""{"idempotency_key": "k"}""", 422, null)]
    [InlineData("""{"source": null}""", 422, "source")]
    [InlineData("[1", 400, null)]
    public async Task A_body_that_is_wrong_names_the_field_and_adds_nothing(string body, int status, string? param)
    {
        var job = await SubmitOpenAsync();

        using var response = await _caller.PostAsync(new Uri($"/api/v1/jobs/{job}/parts", UriKind.Relative), new StringContent(body, System.Text.Encoding.UTF8, "application/json"));

        var error = await Server.ErrorAsync(response);
        Assert.Equal(((HttpStatusCode)status, param), (error.Status, error.Param));
        Assert.Empty((await GetAsync(job)).GetProperty("parts").EnumerateArray());
    }

    [Fact]
    public async Task Nobody_adds_to_or_closes_another_tenants_job()
    {
        var job = await SubmitOpenAsync();
        using var other = await server.CallerAsync(AccessRole.Operator, "other");

        using var appended = await other.PostAsJsonAsync($"/api/v1/jobs/{job}/parts", Part("/data/more"));
        using var closed = await other.PostAsync(new Uri($"/api/v1/jobs/{job}/close", UriKind.Relative), null);

        Assert.Equal((HttpStatusCode.NotFound, "job_not_found"), await CodeAsync(appended));
        Assert.Equal((HttpStatusCode.NotFound, "job_not_found"), await CodeAsync(closed));
        Assert.True((await GetAsync(job)).GetProperty("open").GetBoolean());
    }

    private static object Part(string path, string? key = null) => new { source = new { kind = "folder", path }, idempotency_key = key };

    private static (int, string, int) Brief(JsonElement part) => (part.GetProperty("number").GetInt32(), part.GetProperty("state").GetString()!, part.GetProperty("items").GetInt32());

    private static async Task<(HttpStatusCode, string)> CodeAsync(HttpResponseMessage response)
    {
        var error = await Server.ErrorAsync(response);
        return (error.Status, error.Code);
    }

    private async Task<JobId> SubmitOpenAsync()
    {
        using var response = await _caller.PostAsJsonAsync("/api/v1/jobs", new { model = "scenes", prompt = "Describe.", open = true, source = new { kind = "folder", path = "/data/own" } });
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        return JobId.Parse((await Server.JsonAsync(response)).GetProperty("id").GetString()!);
    }

    private Task<HttpResponseMessage> AppendAsync(JobId job, object part) => _caller.PostAsJsonAsync($"/api/v1/jobs/{job}/parts", part);

    private async Task<JsonElement> CloseAsync(JobId job)
    {
        using var response = await _caller.PostAsync(new Uri($"/api/v1/jobs/{job}/close", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await Server.JsonAsync(response);
    }

    private async Task<JsonElement> GetAsync(JobId job) => JsonSerializer.Deserialize<JsonElement>(await _caller.GetStringAsync(new Uri($"/api/v1/jobs/{job}", UriKind.Relative)));
}
