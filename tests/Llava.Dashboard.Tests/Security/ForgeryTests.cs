using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using Llava.Dashboard.Tests.Api;
using Llava.Ledger.Keys;
using Microsoft.AspNetCore.Routing;

namespace Llava.Dashboard.Tests.Security;

/// <summary>Forged, framed, endless and overlong requests.</summary>
public sealed class ForgeryTests(Server server) : IClassFixture<Server>
{
    [Fact]
    public async Task Every_answer_forbids_frames_sniffing_and_whatever_comes_from_elsewhere()
    {
        using var browser = await server.SignedInAsync(AccessRole.Admin);
        foreach (var path in (string[])["/", "/login", "/keys", "/assets/pages.css", "/api/v1/jobs", "/v1/models", "/api/v1/nothing", "/hangfire", "/health", "/not-there"])
        {
            using var response = await browser.GetAsync(new Uri(path, UriKind.Relative));

            var policy = response.Headers.GetValues("Content-Security-Policy").Single();
            Assert.StartsWith("default-src 'self'", policy, StringComparison.Ordinal);
            Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
            Assert.Contains("form-action 'self'", policy, StringComparison.Ordinal);
            Assert.DoesNotContain("script-src", policy, StringComparison.Ordinal);
            Assert.Equal(
                ("nosniff", "DENY", "no-referrer", "same-origin"),
                (One(response, "X-Content-Type-Options"), One(response, "X-Frame-Options"), One(response, "Referrer-Policy"), One(response, "Cross-Origin-Resource-Policy")));
            Assert.False(response.Headers.Contains("Access-Control-Allow-Origin"));
        }

        static string One(HttpResponseMessage response, string header) => response.Headers.GetValues(header).Single();
    }

    [Fact]
    public async Task Reading_changes_nothing()
    {
        using var browser = await server.SignedInAsync(AccessRole.Admin);
        await server.FinishedJobAsync(items: 1);
        var before = await StateAsync();
        foreach (var route in RouteOfApp.All(server.Get<EndpointDataSource>()).Where(route => route.Method == "GET"))
        {
            using var response = await browser.SendAsync(route.Request(), HttpCompletionOption.ResponseHeadersRead);
            // What a form would post.
            using var handler = await browser.SendAsync(new(HttpMethod.Get, route.Request().RequestUri + "?handler=Delete&id=1&name=1&handler=Create"), HttpCompletionOption.ResponseHeadersRead);
        }

        Assert.Equal(before, await StateAsync());
    }

    [Fact]
    public async Task A_form_of_somebody_elses_session_is_refused()
    {
        using var admin = await server.SignedInAsync(AccessRole.Admin);
        using var other = await server.SignedInAsync(AccessRole.Admin);
        using var form = await other.GetAsync(new Uri("/login", UriKind.Relative));
        var token = (await form.Content.ReadAsStringAsync()).Split("__RequestVerificationToken\" type=\"hidden\" value=\"")[1].Split('"')[0];
        using FormUrlEncodedContent body = new([new("name", "forged"), new("tenant", "default"), new("role", "admin"), new("__RequestVerificationToken", token)]);

        using var response = await admin.PostAsync(new Uri("/keys?handler=Create", UriKind.Relative), body);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.DoesNotContain(await server.Get<ApiKeys>().ListAsync(), key => key.Name == "forged");
    }

    [Fact]
    public async Task A_page_for_admins_changes_nothing_for_others_and_a_viewer_changes_nothing_at_all()
    {
        foreach (var role in (AccessRole[])[AccessRole.Viewer, AccessRole.Operator])
        {
            using var browser = await server.SignedInAsync(role);
            using var keys = await Server.PostFormAsync(browser, "/login", new() { ["name"] = "stolen", ["tenant"] = "default", ["role"] = "admin" }, to: "/keys?handler=Create");
            using var schedule = await Server.PostFormAsync(browser, "/login", new() { ["name"] = "x" }, to: "/schedules?handler=Pause");

            Assert.Equal(HttpStatusCode.Forbidden, keys.StatusCode);
            Assert.Equal(role == AccessRole.Viewer, schedule.StatusCode == HttpStatusCode.Forbidden);
        }

        Assert.DoesNotContain(await server.Get<ApiKeys>().ListAsync(), key => key.Name == "stolen");
    }

    [Theory]
    [InlineData("/api/v1/jobs", 33)]
    [InlineData("/api/v1/jobs", 5000)]
    [InlineData("/v1/uploads", 65)]
    [InlineData("/v1/uploads", 5000)]
    public async Task Json_that_is_too_deep_is_refused(string path, int depth)
    {
        using var caller = await server.CallerAsync(AccessRole.Operator);
        using StringContent body = new(string.Concat(Enumerable.Repeat("{\"a\":", depth)) + "1" + new string('}', depth), Encoding.UTF8, "application/json");

        using var response = await caller.PostAsync(new Uri(path, UriKind.Relative), body);

        Assert.Equal((HttpStatusCode.BadRequest, "invalid_json"), ((await Server.ErrorAsync(response)).Status, (await Server.ErrorAsync(response)).Code));
    }

    [Theory]
    [InlineData("""{"model": "a", "model": "b"}""", "invalid_json")]
    [InlineData("""{"priority": 1e400}""", "invalid_request")]
    [InlineData("""{"priority": NaN}""", "invalid_json")]
    [InlineData("""{"\ud800": 1}""", "invalid_request")]
    [InlineData("""["model"]""", "invalid_request")]
    public async Task Odd_json_is_refused(string json, string code)
    {
        using var caller = await server.CallerAsync(AccessRole.Operator);
        using StringContent body = new(json, Encoding.UTF8, "application/json");

        using var response = await caller.PostAsync(new Uri("/api/v1/jobs", UriKind.Relative), body);

        Assert.InRange((int)response.StatusCode, 400, 422);
        Assert.Contains((await Server.ErrorAsync(response)).Code, (string[])[code, "invalid_json"]);
    }

    [Fact]
    public async Task A_string_of_megabytes_is_refused()
    {
        using var caller = await server.CallerAsync(AccessRole.Operator);

        using var response = await caller.PostAsJsonAsync("/api/v1/jobs", new { model = new string('m', 5 << 20), prompt = "p", source = new { kind = "folder", path = "/data" } });

        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
    }

    [Fact]
    public async Task A_body_that_is_too_long_is_refused_before_it_is_read_on_pages_and_api()
    {
        using var caller = await server.CallerAsync(AccessRole.Operator);
        using var browser = await server.SignedInAsync(AccessRole.Admin);

        using var api = await caller.SendAsync(Announce("/api/v1/jobs", (10 << 20) + 1, "application/json"));
        using var page = await browser.SendAsync(Announce("/schedules", (1 << 20) + 1, "application/x-www-form-urlencoded"));

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, api.StatusCode);
        Assert.Contains(page.StatusCode, (HttpStatusCode[])[HttpStatusCode.RequestEntityTooLarge, HttpStatusCode.BadRequest]);

        // Asks before it sends, so that a refusal is read instead of a broken pipe.
        static HttpRequestMessage Announce(string path, int length, string type)
        {
            ByteArrayContent body = new(new byte[length]);
            body.Headers.ContentType = new(type);
            return new(HttpMethod.Post, path) { Content = body, Headers = { ExpectContinue = true } };
        }
    }

    [Fact]
    public async Task Whoever_sends_a_body_drop_by_drop_is_cut_off()
    {
        using var key = await server.CallerAsync(AccessRole.Operator);
        using TcpClient slow = new();
        await slow.ConnectAsync(server.Address.Host, server.Address.Port);
        var stream = slow.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"POST /api/v1/jobs HTTP/1.1\r\nHost: {server.Address.Authority}\r\nAuthorization: {key.DefaultRequestHeaders.Authorization}\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{{"));
        using StreamReader reader = new(stream);

        var answer = await reader.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60));

        Assert.True(answer is null || answer.StartsWith("HTTP/1.1 4", StringComparison.Ordinal), answer);
    }

    /// <summary>What a request could have changed.</summary>
    private async Task<string> StateAsync() => string.Join('\n', [
        .. (await server.Get<ApiKeys>().ListAsync()).Select(key => (key with { LastUsedAt = null }).ToString()),
        .. (await server.Get<Llava.Ledger.Jobs.JobReader>().ListAsync(new())).Select(job => $"{job.Id} {job.State}"),
        .. (await server.Get<Llava.Ledger.Schedules.ScheduleStore>().ListAsync()).Select(schedule => schedule.ToString()),
        .. (await server.Get<Llava.Ledger.Audit.AuditLog>().ListAsync(new())).Select(line => line.ToString()),
    ]);
}
