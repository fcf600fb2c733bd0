using System.Net;
using Llava.Ledger.Keys;

namespace Llava.Dashboard.Tests.Api;

public sealed class RateLimitTests : IAsyncLifetime
{
    private readonly Server _server = new Server().With("Llava:Api:Burst", "5").With("Llava:Api:RequestsPerSecond", "1");

    public Task InitializeAsync() => _server.InitializeAsync();

    public Task DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_key_that_asks_too_much_is_told_to_wait_and_others_are_not()
    {
        using var hasty = await _server.CallerAsync(AccessRole.Viewer);
        using var other = await _server.CallerAsync(AccessRole.Viewer);
        List<HttpResponseMessage> answers = [];
        for (var i = 0; i < 20; i++)
        {
            answers.Add(await hasty.GetAsync(new Uri("/api/v1/models", UriKind.Relative)));
        }

        using var others = await other.GetAsync(new Uri("/api/v1/models", UriKind.Relative));

        var refused = answers.Where(answer => answer.StatusCode == HttpStatusCode.TooManyRequests).ToList();
        Assert.InRange(refused.Count, 1, 15);
        var error = await Server.ErrorAsync(refused[0]);
        Assert.Equal("rate_limit_exceeded", error.Code);
        Assert.NotNull(refused[0].Headers.RetryAfter);
        Assert.Equal(HttpStatusCode.OK, others.StatusCode);
    }
}
