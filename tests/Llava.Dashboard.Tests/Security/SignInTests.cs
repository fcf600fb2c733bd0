using System.Net;
using Llava.Dashboard.Security;
using Llava.Dashboard.Tests.Api;
using Llava.Ledger.Audit;
using Llava.Ledger.Keys;

namespace Llava.Dashboard.Tests.Security;

public sealed class SignInTests(Server server) : IClassFixture<Server>
{
    private static readonly Uri Home = new("/", UriKind.Relative);

    [Fact]
    public async Task A_key_is_exchanged_for_a_cookie_that_nobody_else_gets_to_see()
    {
        using var http = server.Stranger();
        using var response = await Server.PostFormAsync(http, "/login", new() { ["key"] = await SecretAsync(AccessRole.Viewer), ["ReturnUrl"] = "/schedules" });

        Assert.Equal("/schedules", response.Headers.Location!.ToString());
        var cookie = response.Headers.GetValues("Set-Cookie").Single(set => set.StartsWith("llava=", StringComparison.Ordinal));
        Assert.Contains("httponly", cookie, StringComparison.Ordinal);
        Assert.Contains("samesite=strict", cookie, StringComparison.Ordinal);
        Assert.DoesNotContain("secure", cookie, StringComparison.Ordinal); // this machine, by http
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(Home)).StatusCode);
    }

    [Theory]
    [InlineData("http://localhost:5080", false)]
    [InlineData("http://127.0.0.1:5080", false)]
    [InlineData("http://[::1]:5080", false)]
    [InlineData("http://llava.example", true)]
    [InlineData("http://localhost.evil.example", true)]
    [InlineData("https://localhost", true)]
    public void Off_this_machine_the_cookie_needs_https(string origin, bool isSecure)
    {
        Uri uri = new(origin);
        Microsoft.AspNetCore.Http.DefaultHttpContext context = new();
        context.Request.Scheme = uri.Scheme;
        context.Request.Host = new(uri.IsDefaultPort ? uri.Host : uri.Authority);

        Assert.Equal(isSecure, new GuardedCookie("llava").Build(context, DateTimeOffset.UnixEpoch).Secure);
    }

    [Theory]
    [InlineData("https://evil.example/")]
    [InlineData("//evil.example/")]
    [InlineData(@"/\evil.example/")]
    [InlineData("javascript:alert(1)")]
    public async Task Nobody_is_led_elsewhere_after_the_login(string elsewhere)
    {
        using var http = server.Stranger();
        using var response = await Server.PostFormAsync(http, "/login", new() { ["key"] = await SecretAsync(AccessRole.Viewer), ["ReturnUrl"] = elsewhere });

        Assert.Equal("/", response.Headers.Location!.ToString());
    }

    [Fact]
    public async Task A_key_that_does_not_open_gets_no_cookie_and_a_reason_and_the_log_tells_of_it()
    {
        var revoked = await server.Get<ApiKeys>().CreateAsync("k", Server.Tenant, AccessRole.Admin);
        await server.Get<ApiKeys>().RevokeAsync(revoked.Key.Id);
        foreach (var (secret, reason) in ((string, string)[])[("", "not known"), ("nonsense", "not known"), (revoked.Secret[..^1] + "~", "not known"), (revoked.Secret, "was revoked")])
        {
            using var http = server.Stranger();
            using var response = await Server.PostFormAsync(http, "/login", new() { ["key"] = secret });

            var page = await response.Content.ReadAsStringAsync();
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
            Assert.Contains(reason, page, StringComparison.Ordinal);
            Assert.True(secret.Length == 0 || !page.Contains(secret, StringComparison.Ordinal));
            Assert.Equal(HttpStatusCode.Redirect, (await http.GetAsync(Home)).StatusCode);
        }

        Assert.Equal("stranger", Assert.Single(await server.Get<AuditLog>().ListAsync(new() { Action = AuditActions.SignInRefused, Target = $"key:{revoked.Key.Id}" })).Actor);
    }

    [Fact]
    public async Task Signing_in_needs_the_forms_token_and_reading_signs_nobody_in()
    {
        using var http = server.Stranger();
        using FormUrlEncodedContent body = new([new("key", await SecretAsync(AccessRole.Admin))]);

        using var posted = await http.PostAsync(new Uri("/login", UriKind.Relative), body);
        using var read = await http.GetAsync(new Uri($"/login?key={await SecretAsync(AccessRole.Admin)}", UriKind.Relative));

        Assert.Equal(HttpStatusCode.BadRequest, posted.StatusCode);
        Assert.Equal(HttpStatusCode.Redirect, (await http.GetAsync(Home)).StatusCode);
    }

    [Fact]
    public async Task A_cookie_from_before_the_login_is_worth_nothing_after_it()
    {
        CookieContainer planted = new();
        using var http = Browser(planted);
        using (await Server.PostFormAsync(http, "/login", new() { ["key"] = await SecretAsync(AccessRole.Viewer) }))
        {
        }

        var before = planted.GetCookies(server.Address)["llava"]!.Value;
        using (await Server.PostFormAsync(http, "/login", new() { ["key"] = await SecretAsync(AccessRole.Admin) }))
        {
        }

        Assert.NotEqual(before, planted.GetCookies(server.Address)["llava"]!.Value);
        Assert.Equal(HttpStatusCode.Redirect, await StatusWithAsync(before));
    }

    [Fact]
    public async Task Signing_out_ends_copies_of_the_cookie_too()
    {
        CookieContainer cookies = new();
        using var http = Browser(cookies);
        using (await Server.PostFormAsync(http, "/login", new() { ["key"] = await SecretAsync(AccessRole.Viewer) }))
        {
        }

        var copy = cookies.GetCookies(server.Address)["llava"]!.Value;
        Assert.Equal(HttpStatusCode.OK, await StatusWithAsync(copy));

        using var response = await Server.PostFormAsync(http, "/login", [], to: "/logout");

        Assert.Equal("/login", response.Headers.Location!.ToString());
        Assert.Equal(HttpStatusCode.Redirect, (await http.GetAsync(Home)).StatusCode);
        Assert.Equal(HttpStatusCode.Redirect, await StatusWithAsync(copy));
    }

    [Fact]
    public async Task A_revoked_key_ends_its_sign_ins_at_once()
    {
        var key = await server.Get<ApiKeys>().CreateAsync("k", Server.Tenant, AccessRole.Viewer);
        using var http = await server.SignInAsync(key.Secret);
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync(Home)).StatusCode);

        await server.Get<ApiKeys>().RevokeAsync(key.Key.Id);

        Assert.Equal(HttpStatusCode.Redirect, (await http.GetAsync(Home)).StatusCode);
        using HttpRequestMessage swap = new(HttpMethod.Get, Home) { Headers = { { "HX-Request", "true" } } };
        using var told = await http.SendAsync(swap);
        Assert.Equal((HttpStatusCode.Unauthorized, "/login"), (told.StatusCode, told.Headers.GetValues("HX-Redirect").Single()));
    }

    [Fact]
    public async Task The_one_time_link_signs_an_admin_in_and_a_spent_one_is_explained_on_a_page()
    {
        var link = server.Get<OneTimeLink>().Path;
        using var owner = await server.BrowserAsync();
        using var late = server.Stranger();

        using var spent = await late.GetAsync(new Uri(link, UriKind.Relative));

        Assert.Equal(HttpStatusCode.OK, (await owner.GetAsync(new Uri("/keys", UriKind.Relative))).StatusCode);
        Assert.Equal((HttpStatusCode.Unauthorized, "text/html"), (spent.StatusCode, spent.Content.Headers.ContentType!.MediaType));
        Assert.Contains("was used already", await spent.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal("link", (await server.Get<AuditLog>().ListAsync(new() { Action = AuditActions.SignedIn }))[0].Target);
    }

    private async Task<string> SecretAsync(AccessRole role) => (await server.Get<ApiKeys>().CreateAsync("k", Server.Tenant, role)).Secret;

    private HttpClient Browser(CookieContainer cookies) => new(new SocketsHttpHandler { AllowAutoRedirect = false, CookieContainer = cookies }) { BaseAddress = server.Address };

    private async Task<HttpStatusCode> StatusWithAsync(string cookie)
    {
        using HttpClient http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = server.Address };
        using HttpRequestMessage message = new(HttpMethod.Get, Home) { Headers = { { "Cookie", $"llava={cookie}" } } };
        using var response = await http.SendAsync(message);
        return response.StatusCode;
    }
}
