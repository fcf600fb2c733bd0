using System.Net;
using System.Text.Json;
using Llava.Contracts.Interactive;
using Llava.GpuConsumer.Models;
using Llava.GpuConsumer.Tests.Models;
using Llava.Ledger.Workers;

namespace Llava.GpuConsumer.Tests.Interactive;

/// <summary>The consumer's endpoint for dashboards, over real HTTP.</summary>
public sealed class ChatServerTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task A_chat_comes_line_by_line()
    {
        await using var host = await ChatHost.StartAsync(["null"]);
        var events = await host.ChatAsync(ChatHost.Saying("all the words", "null") with { Settings = new() { Choices = 2, MaxNewTokens = 2 } });

        Assert.Equal("1", Assert.IsType<ChatStarted>(events[0]).Revision);
        Assert.All([0, 1], choice => Assert.Equal("all the", string.Concat(events.OfType<ChatText>().Where(text => text.Choice == choice).Select(text => text.Text))));
        Assert.Equal([new(0, "length"), new(1, "length")], events.OfType<ChatAnswered>());
        Assert.Equal(new ChatUsage(3, 0, 0, 4), Assert.IsType<ChatEnded>(events[^1]).Usage);
        Assert.Equal(0, host.Desk.InFlight("null"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("0123456789abcdef0124")]
    public async Task Whoever_does_not_know_the_secret_is_turned_away(string secret)
    {
        await using var host = await ChatHost.StartAsync(["null"]);
        using var response = await host.PostAsync(ChatHost.Saying("hello"), secret);

        Assert.Equal((HttpStatusCode.Unauthorized, ""), (response.StatusCode, await response.Content.ReadAsStringAsync()));
    }

    [Fact]
    public async Task Without_a_secret_nothing_listens_and_nothing_is_announced()
    {
        await using var host = await ChatHost.StartAsync(["null"], chat => chat.Secret = null);

        Assert.Null(host.Url);
        Assert.Null(Assert.Single((await AnnouncedAsync(host)).Models).ChatUrl);
    }

    [Fact]
    public async Task The_address_is_announced_with_the_worker()
    {
        await using var host = await ChatHost.StartAsync(["null"]);
        var model = Assert.Single((await AnnouncedAsync(host)).Models);

        Assert.Equal((host.Url, 0), (model.ChatUrl, model.ChatsInFlight));
        Assert.StartsWith("http://127.0.0.1:", model.ChatUrl, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_chat_whose_caller_goes_away_ends()
    {
        await using var host = await ChatHost.StartAsync(["null-20ms"]);
        using (var response = await host.PostAsync(ChatHost.Saying(string.Join(' ', Enumerable.Repeat("word", 5000)), "null-20ms") with { Settings = new() { MaxNewTokens = 5000 } }))
        {
            using StreamReader lines = new(await response.Content.ReadAsStreamAsync());
            Assert.Contains("started", await lines.ReadLineAsync(), StringComparison.Ordinal);
            Assert.Equal(1, host.Desk.InFlight("null-20ms"));
        }

        await WaitAsync(() => host.Desk.InFlight("null-20ms") == 0);
    }

    [Fact]
    public async Task While_there_is_nothing_to_say_it_says_that_it_is_there()
    {
        await using var host = await ChatHost.StartAsync(["null-3600000ms"]);
        using var response = await host.PostAsync(ChatHost.Saying("hello", "null-3600000ms"));
        using StreamReader lines = new(await response.Content.ReadAsStreamAsync());
        Assert.Contains("started", await lines.ReadLineAsync(), StringComparison.Ordinal);
        for (var ping = 0; ping < 2; ping++)
        {
            var next = lines.ReadLineAsync();
            await WaitAsync(() =>
            {
                host.Clock.Advance(InteractiveWire.PingInterval);
                return next.IsCompleted;
            });
            Assert.Equal("""{"type":"ping"}""", await next);
        }
    }

    [Fact]
    public async Task More_than_a_model_may_have_in_hand_is_turned_away()
    {
        await using var host = await ChatHost.StartAsync(["null", "null-3600000ms"], chat => chat.MaxInFlight = 1);
        using var first = await host.PostAsync(ChatHost.Saying("hello", "null-3600000ms"));
        using StreamReader lines = new(await first.Content.ReadAsStreamAsync());
        Assert.Contains("started", await lines.ReadLineAsync(), StringComparison.Ordinal);

        var refused = Failure(await host.ChatAsync(ChatHost.Saying("hello", "null-3600000ms")));
        Assert.Equal((InteractiveFailure.Busy, "rate_limit_exceeded", 1), (refused.Kind, refused.Code, refused.RetryAfterSeconds));
        Assert.Equal(1, host.Desk.InFlight("null-3600000ms"));
        Assert.IsType<ChatEnded>((await host.ChatAsync(ChatHost.Saying("hello")))[^1]);
    }

    [Fact]
    public async Task A_model_that_is_not_here_is_not_found_and_one_in_a_folder_is_by_its_name()
    {
        var models = new ScriptedModels().Add("/models/known", 10);
        await using var host = await ChatHost.StartAsync(["/models/known"], runners: models);

        Assert.Equal((InteractiveFailure.ModelNotFound, "model_not_found", "model"), Words(Failure(await host.ChatAsync(ChatHost.Saying("hello", "unknown")))));
        // Found, and known as one that answers no chats.
        Assert.Equal((InteractiveFailure.Refused, "unsupported_model", "model"), Words(Failure(await host.ChatAsync(ChatHost.Saying("hello", "known")))));
    }

    [Fact]
    public async Task A_model_on_its_way_into_memory_is_asked_for_again()
    {
        TaskCompletionSource loading = new();
        var models = new ScriptedModels().Add("slow", 10);
        models.Loading = _ => loading.Task;
        await using var host = await ChatHost.StartAsync(["slow"], chat => chat.LoadPatience = TimeSpan.FromMilliseconds(50), models);

        var refused = Failure(await host.ChatAsync(ChatHost.Saying("hello", "slow")));
        loading.SetResult();
        Assert.Equal((InteractiveFailure.Unavailable, "model_loading", null), Words(refused));
        Assert.True(refused.RetryAfterSeconds > 0);
    }

    [Fact]
    public async Task A_consumer_that_ends_says_so()
    {
        await using var host = await ChatHost.StartAsync(["null"]);
        host.Get<ModelPool>().Close();

        Assert.Equal((InteractiveFailure.Unavailable, "shutting_down", null), Words(Failure(await host.ChatAsync(ChatHost.Saying("hello")))));
    }

    private static (InteractiveFailure Kind, string Code, string? Param) Words(InteractiveError error) => (error.Kind, error.Code, error.Param);

    private static InteractiveError Failure(List<ChatEvent> events) => Assert.IsType<ChatFailed>(Assert.Single(events)).Error;

    private static async Task<WorkerRecord> AnnouncedAsync(ChatHost host)
    {
        List<WorkerRecord> workers = [];
        await WaitAsync(() => workers.Count > 0, async () => workers = await host.Get<WorkerRegistry>().ListAsync());
        return Assert.Single(workers);
    }

    private static async Task WaitAsync(Func<bool> isTrue, Func<Task>? look = null)
    {
        using CancellationTokenSource limit = new(Patience);
        while (!isTrue())
        {
            await (look?.Invoke() ?? Task.CompletedTask);
            await Task.Delay(10, limit.Token);
        }
    }
}
