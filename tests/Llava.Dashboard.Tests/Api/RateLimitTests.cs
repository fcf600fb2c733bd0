using System.Net;
using Llava.Ledger.Keys;

namespace Llava.Dashboard.Tests.Api;

public sealed class RateLimitTests : IAsyncLifetime
{
    private readonly Server _server = new Server().With("Llava:Api:Burst", "5").With("Llava:Api:RequestsPerSecond", "1").With("Llava:SignIn:AttemptsPerMinute", "3");

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

    [Fact]
    public async Task A_flood_by_one_key_does_not_slow_another_down()
    {
        using var hasty = await _server.CallerAsync(AccessRole.Viewer);
        using var other = await _server.CallerAsync(AccessRole.Viewer);
        using CancellationTokenSource over = new();
        var flood = Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            while (!over.IsCancellationRequested)
            {
                using var answer = await hasty.GetAsync(new Uri("/api/v1/models", UriKind.Relative));
            }
        }));

        for (var i = 0; i < 4; i++)
        {
            using var answer = await other.GetAsync(new Uri("/api/v1/models", UriKind.Relative)).WaitAsync(TimeSpan.FromSeconds(10));
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        await over.CancelAsync();
        await flood;
    }

    [Fact]
    public async Task Whoever_tries_keys_is_told_to_wait_and_may_still_read_the_login()
    {
        using var http = _server.Stranger();
        List<HttpResponseMessage> answers = [];
        for (var i = 0; i < 5; i++)
        {
            answers.Add(await Server.PostFormAsync(http, "/login", new() { ["key"] = "llava_guess" }));
        }

        Assert.Equal([401, 401, 401, 429, 429], answers.Select(answer => (int)answer.StatusCode));
        Assert.InRange(answers[^1].Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));
        using var form = await http.GetAsync(new Uri("/login", UriKind.Relative));
        Assert.Equal(HttpStatusCode.Unauthorized, form.StatusCode); // this server has a one-time link, whose page says so
    }
}
