using System.Net;
using Llava.Dashboard.Security;
using Llava.Dashboard.Tests.Api;
using Llava.Ledger.Keys;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Llava.Dashboard.Tests.Security;

/// <summary>What is open when a sign-in or a key ends.</summary>
public sealed class OpenRequestTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Server _server = new Server().With((WebApplication app) => app.MapGet("/endless", DotAsync).RequireAccess(AccessRole.Viewer));

    public Task InitializeAsync() => _server.InitializeAsync();

    public Task DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_revoked_key_ends_streams_that_came_by_it_and_by_its_sign_in_and_no_others()
    {
        var keys = _server.Get<ApiKeys>();
        var (gone, stays) = (await keys.CreateAsync("k", Server.Tenant, AccessRole.Viewer), await keys.CreateAsync("k", Server.Tenant, AccessRole.Viewer));
        using var holder = _server.Holder(gone.Secret);
        using var browser = await _server.SignInAsync(gone.Secret);
        using var other = await _server.SignInAsync(stays.Secret);
        await using var byKey = await StreamAsync(holder);
        await using var bySignIn = await StreamAsync(browser);
        await using var others = await StreamAsync(other);

        await keys.RevokeAsync(gone.Key.Id);

        await EndsAsync(byKey);
        await EndsAsync(bySignIn);
        Assert.Equal(1, await others.ReadAsync(new byte[1]));
    }

    [Fact]
    public async Task Signing_out_ends_its_streams()
    {
        using var browser = await _server.SignedInAsync(AccessRole.Viewer);
        await using var stream = await StreamAsync(browser);

        using var response = await Server.PostFormAsync(browser, "/login", [], to: "/logout");

        await EndsAsync(stream);
    }

    private static async Task<Stream> StreamAsync(HttpClient http)
    {
        var response = await http.GetAsync(new Uri("/endless", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var stream = await response.Content.ReadAsStreamAsync();
        Assert.Equal(1, await stream.ReadAsync(new byte[1]));
        return stream;
    }

    private static async Task EndsAsync(Stream stream)
    {
        using CancellationTokenSource patience = new(Patience);
        await Assert.ThrowsAnyAsync<IOException>(async () =>
        {
            while (await stream.ReadAsync(new byte[64], patience.Token) > 0)
            {
            }
        });
    }

    /// <summary>Dots for ever.</summary>
    private static async Task DotAsync(HttpContext context)
    {
        while (true)
        {
            await context.Response.Body.WriteAsync("."u8.ToArray(), context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            await Task.Delay(50, context.RequestAborted);
        }
    }
}
