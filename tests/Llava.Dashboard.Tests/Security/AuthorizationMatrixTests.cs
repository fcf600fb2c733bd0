using System.Net;
using Llava.Dashboard.Tests.Api;
using Llava.Ledger.Keys;
using Microsoft.AspNetCore.Routing;

namespace Llava.Dashboard.Tests.Security;

/// <summary>Every route of the application × everybody who may come.</summary>
public sealed class AuthorizationMatrixTests(Server server) : IClassFixture<Server>
{
    /// <summary>Routes for everybody. A change must be made on purpose here too.</summary>
    private static readonly string[] Open = ["/login", "/problem/", "/assets/", "/alive", "/health"];

    /// <summary>What matters most, written out a second time: policies by the beginning of the route.</summary>
    private static readonly (string Route, string Policy)[] ByHand =
    [
        ("GET /playground", "page-operator"), ("POST /playground", "page-operator"), ("GET /keys", "page-admin"), ("POST /keys", "page-admin"), ("GET /audit", "page-admin"), ("POST /audit", "page-admin"),
        ("GET /schedules", "page-viewer"), ("GET /webhooks", "page-viewer"), ("GET /openapi/{documentName}.json", "api-viewer"), ("GET /consumers", "page-viewer"), ("GET /models", "page-viewer"), ("GET /files", "page-viewer"),
        ("GET /hangfire/{**path}", "page-viewer"), ("GET /api/v1/audit", "api-admin"), ("POST /api/v1/jobs", "api-operator"), ("GET /api/v1/jobs", "api-viewer"),
        ("POST /v1/chat/completions", "api-operator"), ("POST /v1/files", "api-operator"), ("DELETE /v1/files/{file}", "api-operator"), ("GET /v1/files/{file}/content", "api-viewer"),
        ("GET /jobs/{job}/items/{item:int}/images/{image:int}", "page-viewer"), ("GET /", "page-viewer"), ("GET /jobs", "page-viewer"), ("GET /schedules/edit", "page-operator"), ("GET /events", "api-viewer"),
    ];

    private List<RouteOfApp> Routes => RouteOfApp.All(server.Get<EndpointDataSource>());

    [Fact]
    public void Every_route_names_its_policy_or_is_on_the_short_list()
    {
        Assert.True(Routes.Count > 40);
        Assert.All(Routes, route =>
        {
            var path = route.Name[(route.Name.IndexOf(' ', StringComparison.Ordinal) + 1)..];
            Assert.True(route.IsOpen == Open.Any(open => path.StartsWith(open, StringComparison.Ordinal)), $"'{route.Name}' is {(route.IsOpen ? "open" : "closed")} and should not be.");
            Assert.True(route.IsOpen || route.Policies.Any(IsOurs), $"'{route.Name}' names no policy.");
        });
    }

    [Fact]
    public void What_matters_most_asks_for_what_was_decided() => Assert.All(ByHand, expected =>
    {
        var route = Routes.FirstOrDefault(route => route.Name == expected.Route);
        Assert.True(route is not null, $"There is no '{expected.Route}'.");
        Assert.Equal(expected.Policy, StrictestOf(route));
    });

    [Fact]
    public async Task Nobody_without_a_key_that_opens_gets_past_the_door()
    {
        var keys = server.Get<ApiKeys>();
        var revoked = await keys.CreateAsync("k", Server.Tenant, AccessRole.Admin);
        await keys.RevokeAsync(revoked.Key.Id);
        var expired = await keys.CreateAsync("k", Server.Tenant, AccessRole.Admin, TimeSpan.FromMilliseconds(1));
        await Task.Delay(5);
        foreach (var (who, secret) in ((string, string?)[])[("nobody", null), ("a wrong key", "llava_0123456789_" + new string('x', 43)), ("a revoked key", revoked.Secret), ("an expired key", expired.Secret)])
        {
            using var caller = secret is null ? server.Stranger() : server.Holder(secret);
            await CheckAsync(who, caller, role: null, isBrowser: secret is null);
        }
    }

    [Theory]
    [InlineData(AccessRole.Viewer)]
    [InlineData(AccessRole.Operator)]
    [InlineData(AccessRole.Admin)]
    public async Task A_key_opens_what_its_role_may_and_no_page(AccessRole role)
    {
        using var caller = await server.CallerAsync(role);
        await CheckAsync($"a key of the role {role}", caller, role, isBrowser: false);
    }

    [Theory]
    [InlineData(AccessRole.Viewer)]
    [InlineData(AccessRole.Operator)]
    [InlineData(AccessRole.Admin)]
    public async Task A_sign_in_opens_what_its_role_may(AccessRole role)
    {
        using var browser = await server.SignedInAsync(role);
        await CheckAsync($"a signed-in {role}", browser, role, isBrowser: true);
    }

    [Fact]
    public async Task What_is_another_tenants_is_as_if_it_were_not_there()
    {
        var job = await server.FinishedJobAsync(items: 1);
        using var owner = await server.SignedInAsync(AccessRole.Viewer);
        using var other = await server.SignedInAsync(AccessRole.Operator, "other");
        using var otherKey = await server.CallerAsync(AccessRole.Operator, "other");
        var looked = 0;
        foreach (var route in Routes.Where(route => route.Name.Contains("{job}", StringComparison.Ordinal) || route.Name.Contains("jobs/{id}", StringComparison.Ordinal)))
        {
            var isPage = route.Policies.Any(policy => policy.StartsWith("page-", StringComparison.Ordinal));
            if (isPage && route.Method != "GET")
            {
                continue;
            }

            using var message = route.Request(("job", job.ToString()), ("id", job.ToString()), ("item", "0"), ("image", "0"));
            using var response = await (isPage ? other : otherKey).SendAsync(message, HttpCompletionOption.ResponseHeadersRead);

            Assert.True(response.StatusCode == HttpStatusCode.NotFound, $"'{route.Name}' answers another tenant with {response.StatusCode}.");
            looked++;
        }

        Assert.True(looked >= 9);
        using var own = await owner.GetAsync(new Uri($"/jobs/{job}", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, own.StatusCode);
        Assert.DoesNotContain(job.ToString(), await other.GetStringAsync(new Uri("/jobs", UriKind.Relative)), StringComparison.Ordinal);
        Assert.DoesNotContain(job.ToString(), await other.GetStringAsync(new Uri("/hangfire/llava", UriKind.Relative)), StringComparison.Ordinal);
        Assert.Contains(job.ToString(), await owner.GetStringAsync(new Uri("/hangfire/llava", UriKind.Relative)), StringComparison.Ordinal);
    }

    private async Task CheckAsync(string who, HttpClient caller, AccessRole? role, bool isBrowser)
    {
        foreach (var route in Routes.Where(route => !route.IsOpen))
        {
            using var response = await caller.SendAsync(route.Request(("job", "job_38g6s4b3k6gmq"), ("id", "job_38g6s4b3k6gmq")), HttpCompletionOption.ResponseHeadersRead);

            var verdict = response.StatusCode switch
            {
                HttpStatusCode.Unauthorized => Verdict.Unknown,
                HttpStatusCode.Redirect when response.Headers.Location!.ToString().Contains("/login?", StringComparison.Ordinal) => Verdict.Login,
                HttpStatusCode.Forbidden => Verdict.Forbidden,
                HttpStatusCode.InternalServerError => throw new InvalidOperationException($"'{route.Name}' fails for {who}."),
                // A form without its token.
                HttpStatusCode.BadRequest when response.Content.Headers.ContentLength == 0 => Verdict.Forbidden,
                _ => Verdict.Through,
            };
            Assert.True(Expect(route, role, isBrowser) == verdict, $"'{route.Name}' says {verdict} ({response.StatusCode}) to {who}, not {Expect(route, role, isBrowser)}.");
        }
    }

    /// <summary>What the policy means for the caller.</summary>
    private static Verdict Expect(RouteOfApp route, AccessRole? role, bool isBrowser)
    {
        var policy = StrictestOf(route);
        var isPage = policy.StartsWith("page-", StringComparison.Ordinal);
        var least = Enum.Parse<AccessRole>(policy.Split('-')[1], ignoreCase: true);
        var changes = route.Method is not ("GET" or "HEAD");
        return (isPage, role) switch
        {
            (true, _) when !isBrowser || role is null => Verdict.Login,
            (false, null) => Verdict.Unknown,
            _ when role < least => Verdict.Forbidden,
            // Without the token that only our own pages hold.
            _ when isBrowser && changes && !route.Name.Contains("/hangfire", StringComparison.Ordinal) => Verdict.Forbidden,
            _ => Verdict.Through,
        };
    }

    private static bool IsOurs(string policy) => policy.StartsWith("page-", StringComparison.Ordinal) || policy.StartsWith("api-", StringComparison.Ordinal);

    private static string StrictestOf(RouteOfApp route) => route.Policies.Where(IsOurs).MaxBy(policy => Enum.Parse<AccessRole>(policy.Split('-')[1], ignoreCase: true))!;

    private enum Verdict
    {
        Through,
        Unknown,
        Login,
        Forbidden,
    }
}
