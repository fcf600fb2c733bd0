using System.Net;
using System.Net.Http.Json;
using System.Text.RegularExpressions;
using Llava.Ledger.Keys;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;

namespace Llava.Dashboard.Tests.Api;

/// <summary>Who may use which route, for every route of the application.</summary>
public sealed partial class AccessTests(Server server) : IClassFixture<Server>
{
    /// <summary>Routes for everybody. A change must be made on purpose here too.</summary>
    private static readonly string[] Open = ["GET /login", "GET /problem/*", "GET /assets/*", "GET /alive", "GET /health"];

    /// <summary>Least role of every route of the API, written out a second time.</summary>
    private static readonly Dictionary<string, AccessRole> Roles = new()
    {
        ["GET /api/v1/audit"] = AccessRole.Admin,
        ["GET /api/v1/jobs"] = AccessRole.Viewer,
        ["GET /api/v1/jobs/{job}"] = AccessRole.Viewer,
        ["GET /api/v1/jobs/{job}/export"] = AccessRole.Viewer,
        ["GET /api/v1/jobs/{job}/items/{item:int}/reviews"] = AccessRole.Viewer,
        ["GET /api/v1/jobs/{job}/results"] = AccessRole.Viewer,
        ["GET /api/v1/jobs/{job}/reviews"] = AccessRole.Viewer,
        ["GET /api/v1/models"] = AccessRole.Viewer,
        ["GET /api/v1/schedules"] = AccessRole.Viewer,
        ["GET /api/v1/schedules/{name}"] = AccessRole.Viewer,
        ["PUT /api/v1/schedules/{name}"] = AccessRole.Operator,
        ["DELETE /api/v1/schedules/{name}"] = AccessRole.Operator,
        ["POST /api/v1/schedules/{name}/pause"] = AccessRole.Operator,
        ["POST /api/v1/schedules/{name}/resume"] = AccessRole.Operator,
        ["POST /api/v1/schedules/{name}/run"] = AccessRole.Operator,
        ["POST /api/v1/jobs/estimate"] = AccessRole.Operator,
        ["GET /api/v1/webhooks"] = AccessRole.Viewer,
        ["GET /api/v1/webhooks/{webhook}"] = AccessRole.Viewer,
        ["GET /api/v1/webhooks/{webhook}/deliveries"] = AccessRole.Viewer,
        ["POST /api/v1/webhooks"] = AccessRole.Operator,
        ["POST /api/v1/webhooks/{webhook}/deliveries/{delivery}/redeliver"] = AccessRole.Operator,
        ["POST /api/v1/webhooks/{webhook}/rotate"] = AccessRole.Operator,
        ["POST /api/v1/webhooks/{webhook}/test"] = AccessRole.Operator,
        ["DELETE /api/v1/webhooks/{webhook}"] = AccessRole.Operator,
        ["GET /api/v1/workers"] = AccessRole.Viewer,
        ["GET /api/v1/{**path}"] = AccessRole.Viewer,
        ["POST /api/v1/jobs"] = AccessRole.Operator,
        ["POST /api/v1/jobs/{job}/cancel"] = AccessRole.Operator,
        ["POST /api/v1/jobs/{job}/close"] = AccessRole.Operator,
        ["POST /api/v1/jobs/{job}/items/{item:int}/reviews"] = AccessRole.Operator,
        ["POST /api/v1/jobs/{job}/parts"] = AccessRole.Operator,
        ["POST /api/v1/jobs/{job}/pause"] = AccessRole.Operator,
        ["POST /api/v1/jobs/{job}/resume"] = AccessRole.Operator,
        ["POST /api/v1/jobs/{job}/retry"] = AccessRole.Operator,
        ["POST /api/v1/jobs/{job}/training-file"] = AccessRole.Operator,
    };

    [Fact]
    public void Every_route_of_the_api_is_listed_with_its_role()
    {
        var found = Routes().Where(route => route.Name.Contains("/api/", StringComparison.Ordinal)).ToDictionary(
            route => route.Name, route => Assert.Single(route.Endpoint.Metadata.GetOrderedMetadata<IAuthorizeData>()).Policy);

        Assert.Equal(Roles.Select(role => $"{role.Key}: api-{role.Value.WireName()}").Order(), found.Select(route => $"{route.Key}: {route.Value}").Order());
    }

    [Fact]
    public async Task Every_route_but_the_open_ones_refuses_a_stranger()
    {
        using var stranger = server.Stranger();
        var checkedRoutes = 0;
        foreach (var (name, _) in Routes().Where(route => !IsOpen(route.Name)))
        {
            using var response = await stranger.SendAsync(Message(name));

            // The pages lead to the login, which refuses; everything else says so at once.
            Assert.True(
                response.StatusCode == HttpStatusCode.Unauthorized || (response.StatusCode == HttpStatusCode.Redirect && response.Headers.Location!.ToString().Contains("/login", StringComparison.Ordinal)),
                $"'{name}' answers a stranger with {response.StatusCode}.");
            checkedRoutes++;
        }

        Assert.True(checkedRoutes > Roles.Count);
    }

    [Theory]
    [InlineData(AccessRole.Viewer)]
    [InlineData(AccessRole.Operator)]
    [InlineData(AccessRole.Admin)]
    public async Task Every_role_gets_past_the_door_where_it_may_and_nowhere_else(AccessRole role)
    {
        using var caller = await server.CallerAsync(role);
        foreach (var (name, least) in Roles)
        {
            using var response = await caller.SendAsync(Message(name));

            Assert.True(response.StatusCode is HttpStatusCode.Forbidden == (role < least), $"'{name}' answers a {role} with {response.StatusCode}.");
            Assert.NotEqual(HttpStatusCode.Unauthorized, response.StatusCode);
        }
    }

    [Fact]
    public async Task No_route_knows_another_tenants_job()
    {
        var job = await server.FinishedJobAsync(items: 2);
        using var owner = await server.CallerAsync(AccessRole.Operator);
        using var other = await server.CallerAsync(AccessRole.Operator, "other");
        using var admin = await server.CallerAsync(AccessRole.Admin, "other");
        foreach (var name in Roles.Keys.Where(name => name.Contains("{job}", StringComparison.Ordinal)))
        {
            using var theirs = await other.SendAsync(Message(name, job.ToString()));
            using var missing = await other.SendAsync(Message(name, "job_38g6s4b3k6gmq"));

            Assert.Equal((HttpStatusCode.NotFound, "job_not_found"), ((await Server.ErrorAsync(theirs)).Status, (await Server.ErrorAsync(theirs)).Code));
            Assert.Equal((await Server.ErrorAsync(missing)).Message.Length, (await Server.ErrorAsync(theirs)).Message.Length);
        }

        Assert.DoesNotContain(job.ToString(), await other.GetStringAsync(new Uri($"/api/v1/jobs?tenant={Server.Tenant}", UriKind.Relative)), StringComparison.Ordinal);
        Assert.Contains(job.ToString(), await owner.GetStringAsync(new Uri("/api/v1/jobs?limit=100", UriKind.Relative)), StringComparison.Ordinal);
        Assert.Contains(job.ToString(), await admin.GetStringAsync(new Uri($"/api/v1/jobs?limit=100&tenant={Server.Tenant}", UriKind.Relative)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keys_that_are_wrong_expired_or_revoked_are_told_so()
    {
        var keys = server.Get<ApiKeys>();
        var good = await keys.CreateAsync("k", Server.Tenant, AccessRole.Admin);
        var revoked = await keys.CreateAsync("k", Server.Tenant, AccessRole.Admin);
        await keys.RevokeAsync(revoked.Key.Id);
        var expired = await keys.CreateAsync("k", Server.Tenant, AccessRole.Admin, TimeSpan.FromMilliseconds(1));
        await Task.Delay(5);

        foreach (var (secret, reason) in ((string, string)[])[(good.Secret[..^1], "not known"), ("nonsense", "not known"), (revoked.Secret, "was revoked"), (expired.Secret, "expired at")])
        {
            using var caller = server.Holder(secret);
            using var response = await caller.GetAsync(new Uri("/api/v1/jobs", UriKind.Relative));

            var error = await Server.ErrorAsync(response);
            Assert.Equal((HttpStatusCode.Unauthorized, "invalid_api_key"), (error.Status, error.Code));
            Assert.Contains(reason, error.Message, StringComparison.Ordinal);
            Assert.Equal("Bearer", response.Headers.WwwAuthenticate.Single().Scheme);
            Assert.DoesNotContain(secret, error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_key_opens_no_page()
    {
        using var admin = await server.CallerAsync(AccessRole.Admin);

        using var response = await admin.GetAsync(new Uri("/", UriKind.Relative));

        Assert.Equal(HttpStatusCode.Redirect, response.StatusCode);
    }

    [Fact]
    public async Task Whoever_signed_in_reads_everything_and_changes_nothing_without_the_pages_token()
    {
        var job = await server.FinishedJobAsync(items: 1, tenant: "anybody");
        using var browser = await server.BrowserAsync();

        using var read = await browser.GetAsync(new Uri($"/api/v1/jobs/{job}", UriKind.Relative));
        using var forged = await browser.PostAsync(new Uri($"/api/v1/jobs/{job}/retry", UriKind.Relative), null);
        using var submitted = await browser.PostAsJsonAsync("/api/v1/jobs", Server.Request());

        Assert.Equal(HttpStatusCode.OK, read.StatusCode);
        Assert.Equal((HttpStatusCode.Forbidden, "antiforgery_token_missing"), ((await Server.ErrorAsync(forged)).Status, (await Server.ErrorAsync(forged)).Code));
        Assert.Equal(HttpStatusCode.Forbidden, submitted.StatusCode);
    }

    [Fact]
    public async Task A_name_that_is_not_this_machines_is_refused()
    {
        using var caller = await server.CallerAsync(AccessRole.Admin);
        using var message = new HttpRequestMessage(HttpMethod.Get, "/api/v1/jobs") { Headers = { Host = "evil.example" } };

        using var response = await caller.SendAsync(message);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    private static bool IsOpen(string route) => Open.Any(open => open.EndsWith('*') ? route.StartsWith(open[..^1], StringComparison.Ordinal) : route == open);

    /// <summary>Every route with each of its methods.</summary>
    private IEnumerable<(string Name, RouteEndpoint Endpoint)> Routes() => server.Get<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        .SelectMany(endpoint => (endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["GET"])
            .Select(method => ($"{method} /{endpoint.RoutePattern.RawText!.TrimStart('/')}", endpoint)));

    private static HttpRequestMessage Message(string route, string job = "job_38g6s4b3k6gmq")
    {
        var (method, path) = (route.Split(' ')[0], route.Split(' ')[1].Replace("{job}", job, StringComparison.Ordinal));
        return new(HttpMethod.Parse(method), Place().Replace(path, "1"));
    }

    [GeneratedRegex(@"\{[^}]*\}")]
    private static partial Regex Place();
}
