using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Llava.Ledger.Keys;

namespace Llava.Dashboard.Tests.Api;

/// <summary>Schedules over HTTP.</summary>
public sealed class ScheduleEndpointTests(Server server) : IClassFixture<Server>
{
    [Fact]
    public async Task A_schedule_is_made_shown_run_replaced_paused_resumed_and_removed()
    {
        using var caller = await server.CallerAsync(AccessRole.Operator);
        var made = await PutAsync(caller, "nightly", Annotate("0 2 * * *"), HttpStatusCode.Created);
        var fired = await PostAsync(caller, "nightly/run");
        var replaced = await PutAsync(caller, "nightly", Annotate("0 3 * * *"), HttpStatusCode.OK);
        var paused = await PostAsync(caller, "nightly/pause");
        var resumed = await PostAsync(caller, "nightly/resume");
        var listed = await GetAsync(caller, "");

        Assert.Equal(("annotate", "every day at 02:00 (UTC)", Server.Tenant), (made.GetProperty("kind").GetString(), made.GetProperty("when").GetString(), made.GetProperty("request").GetProperty("tenant").GetString()));
        Assert.True(fired.GetProperty("submitted").GetBoolean());
        Assert.Equal(fired.GetProperty("job").GetString(), replaced.GetProperty("jobs")[0].GetProperty("id").GetString());
        Assert.Equal((false, true), (paused.GetProperty("enabled").GetBoolean(), resumed.GetProperty("enabled").GetBoolean()));
        Assert.Contains("nightly", listed.GetProperty("schedules").EnumerateArray().Select(schedule => schedule.GetProperty("name").GetString()));

        using var removed = await caller.DeleteAsync(new Uri("/api/v1/schedules/nightly", UriKind.Relative));
        using var gone = await caller.GetAsync(new Uri("/api/v1/schedules/nightly", UriKind.Relative));
        Assert.Equal((HttpStatusCode.NoContent, HttpStatusCode.NotFound), (removed.StatusCode, gone.StatusCode));
        Assert.Equal("schedule_not_found", (await Server.ErrorAsync(gone)).Code);
    }

    [Fact]
    public async Task One_that_trains_and_one_that_evaluates_say_what_they_made()
    {
        using var caller = await server.CallerAsync(AccessRole.Operator);
        await PutAsync(caller, "learn", new { kind = "finetune", cron = "0 3 * * SUN", training = new { model = "scenes", training_file = "file-1", settings = new { mode = "projector" } } }, HttpStatusCode.Created);
        await PutAsync(caller, "score", new { kind = "evaluate", cron = "0 4 * * *", request = new { model = "scenes", expected = "answer", source = new { kind = "questions", path = "/data/q.jsonl" } } }, HttpStatusCode.Created);

        var learning = await PostAsync(caller, "learn/run");
        var again = await PostAsync(caller, "learn/run");
        var scoring = await PostAsync(caller, "score/run");
        var shown = await GetAsync(caller, "/learn");

        Assert.Equal((learning.GetProperty("run").GetString(), "validating_files", "file-1"),
            (shown.GetProperty("runs")[0].GetProperty("id").GetString(), shown.GetProperty("runs")[0].GetProperty("state").GetString(), shown.GetProperty("runs")[0].GetProperty("training_file").GetString()));
        Assert.False(again.GetProperty("submitted").GetBoolean());
        Assert.Contains("the run before", again.GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.StartsWith("job_", scoring.GetProperty("job").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_breaks_rules_is_refused_with_its_fields_and_other_tenants_see_nothing()
    {
        using var caller = await server.CallerAsync(AccessRole.Operator);
        using var other = await server.CallerAsync(AccessRole.Operator, "other");
        using var viewer = await server.CallerAsync(AccessRole.Viewer);
        await PutAsync(caller, "mine", Annotate("0 2 * * *"), HttpStatusCode.Created);
        using var wrong = await caller.PutAsJsonAsync("/api/v1/schedules/mine", new { kind = "evaluate", cron = "never", request = new { model = "m", source = new { kind = "folder", path = "/data" } } });
        using var unknown = await caller.PutAsJsonAsync("/api/v1/schedules/mine", new { kind = "dance", cron = "0 2 * * *" });
        using var hidden = await other.GetAsync(new Uri("/api/v1/schedules/mine", UriKind.Relative));
        using var forbidden = await viewer.PutAsJsonAsync("/api/v1/schedules/mine", Annotate("0 2 * * *"));

        Assert.Equal((HttpStatusCode)422, wrong.StatusCode);
        Assert.Equal(["cron", "request.expected"], (await Server.JsonAsync(wrong)).GetProperty("error").GetProperty("findings").EnumerateArray().Select(finding => finding.GetProperty("field").GetString()).Order());
        Assert.Equal("kind", (await Server.ErrorAsync(unknown)).Param);
        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.Forbidden), (hidden.StatusCode, forbidden.StatusCode));
    }

    private static object Annotate(string cron) => new { kind = "annotate", cron, request = Server.Request() };

    private static async Task<JsonElement> PutAsync(HttpClient caller, string name, object body, HttpStatusCode expected)
    {
        using var response = await caller.PutAsJsonAsync($"/api/v1/schedules/{name}", body);
        Assert.Equal(expected, response.StatusCode);
        return await Server.JsonAsync(response);
    }

    private static async Task<JsonElement> PostAsync(HttpClient caller, string path)
    {
        using var response = await caller.PostAsync(new Uri($"/api/v1/schedules/{path}", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await Server.JsonAsync(response);
    }

    private static async Task<JsonElement> GetAsync(HttpClient caller, string path)
    {
        using var response = await caller.GetAsync(new Uri($"/api/v1/schedules{path}", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await Server.JsonAsync(response);
    }
}
