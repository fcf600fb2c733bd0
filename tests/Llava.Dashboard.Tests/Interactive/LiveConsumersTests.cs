using System.Net;
using System.Text.Json;
using Llava.Contracts.Interactive;
using Llava.Dashboard.Tests.Api;
using Llava.Dashboard.Tests.OpenAi.Chat;
using Llava.Ledger.Keys;
using Llava.Ledger.Workers;
using Microsoft.AspNetCore.Http;

namespace Llava.Dashboard.Tests.Interactive;

/// <summary>A dashboard without models of its own, and consumers that are busy, dead, mute or dying.</summary>
public sealed class LiveConsumersTests : IAsyncLifetime
{
    private const string Secret = "0123456789abcdef0123";

    private static readonly ChatEvent[] Answer = [new ChatStarted("r1"), new ChatText(0, "hello"), new ChatAnswered(0, "stop"), new ChatEnded(new(3, 0, 0, 1))];

    private readonly Server _server = new Server().With("Llava:Chat:Secret", Secret).With("Llava:Chat:Silence", "00:00:03");
    private HttpClient _caller = null!;

    public async Task InitializeAsync()
    {
        await _server.InitializeAsync();
        _caller = await _server.CallerAsync(AccessRole.Operator);
    }

    public async Task DisposeAsync()
    {
        _caller.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task The_shortest_queue_is_asked_and_the_secret_is_shown()
    {
        await using var longer = await ScriptedConsumer.SayingAsync(Answer);
        string? shown = null;
        await using var shorter = await ScriptedConsumer.StartAsync(async (context, say) =>
        {
            shown = context.Request.Headers.Authorization;
            foreach (var said in Answer)
            {
                await say(said);
            }
        });
        await AnnounceAsync("a", longer.Url, inFlight: 3);
        await AnnounceAsync("b", shorter.Url, inFlight: 2);

        Assert.Equal("hello", await AskAsync());
        Assert.Equal((0, 1, $"Bearer {Secret}"), (longer.Asked, shorter.Asked, shown));
    }

    [Fact]
    public async Task What_this_dashboard_has_given_counts_before_the_next_heartbeat_does()
    {
        TaskCompletionSource release = new();
        Func<HttpContext, Func<ChatEvent, Task>, Task> slow = async (_, say) =>
        {
            await say(Answer[0]);
            await release.Task;
            foreach (var said in Answer[1..])
            {
                await say(said);
            }
        };
        await using var one = await ScriptedConsumer.StartAsync(slow);
        await using var two = await ScriptedConsumer.StartAsync(slow);
        await AnnounceAsync("a", one.Url);
        await AnnounceAsync("b", two.Url);
        var asked = new List<Task<string>>();
        for (var i = 1; i <= 4; i++)
        {
            // One after the other: each has to be with its consumer before the next is given away.
            asked.Add(AskAsync());
            while (one.Asked + two.Asked < i)
            {
                await Task.Delay(5);
            }
        }

        Assert.Equal((2, 2), (one.Asked, two.Asked));
        release.SetResult();
        await Task.WhenAll(asked);
    }

    [Fact]
    public async Task A_consumer_that_cannot_be_reached_or_has_no_room_is_passed_over()
    {
        await using var full = await ScriptedConsumer.SayingAsync(new ChatFailed(new(InteractiveFailure.Busy, "rate_limit_exceeded", "Full.", null, 1)));
        await using var well = await ScriptedConsumer.SayingAsync(Answer);
        await AnnounceAsync("dead", "http://127.0.0.1:1");
        await AnnounceAsync("full", full.Url, inFlight: 1);
        await AnnounceAsync("well", well.Url, inFlight: 2);

        Assert.Equal("hello", await AskAsync());
        Assert.Equal((1, 1), (full.Asked, well.Asked));
    }

    [Fact]
    public async Task Where_all_are_full_the_caller_is_told_to_wait()
    {
        await using var full = await ScriptedConsumer.SayingAsync(new ChatFailed(new(InteractiveFailure.Busy, "rate_limit_exceeded", "Full.", null, 1)));
        await AnnounceAsync("full", full.Url);
        await AnnounceAsync("dead", "http://127.0.0.1:1", inFlight: 1);
        using var response = await PostAsync();

        Assert.Equal((HttpStatusCode)429, response.StatusCode);
        Assert.Equal("1000", response.Headers.GetValues("retry-after-ms").Single());
    }

    [Fact]
    public async Task A_request_that_is_wrong_is_not_carried_from_one_to_the_next()
    {
        ChatFailed wrong = new(new(InteractiveFailure.Refused, "context_length_exceeded", "Too long.", "messages"));
        await using var one = await ScriptedConsumer.SayingAsync(wrong);
        await using var two = await ScriptedConsumer.SayingAsync(wrong);
        await AnnounceAsync("a", one.Url);
        await AnnounceAsync("b", two.Url);
        using var response = await PostAsync();

        Assert.Equal((HttpStatusCode.BadRequest, "context_length_exceeded"), ((await Server.ErrorAsync(response)).Status, (await Server.ErrorAsync(response)).Code));
        Assert.Equal(1, one.Asked + two.Asked);
    }

    [Theory]
    [InlineData(true, "consumer_lost")]
    [InlineData(false, "consumer_stalled")]
    public async Task A_consumer_that_dies_or_falls_silent_in_the_middle_ends_the_stream_with_its_cause(bool dies, string code)
    {
        TaskCompletionSource heard = new(), over = new();
        await using var dying = await ScriptedConsumer.StartAsync(async (context, say) =>
        {
            await say(Answer[0]);
            await say(Answer[1]);
            if (dies)
            {
                await heard.Task;
                context.Abort();
                return;
            }

            context.RequestAborted.Register(over.SetResult);
            await over.Task;
        });
        await AnnounceAsync("a", dying.Url);
        using HttpRequestMessage request = new(HttpMethod.Post, "/v1/chat/completions") { Content = System.Net.Http.Json.JsonContent.Create(ChatServer.With("stream", "true")) };
        using var response = await _caller.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using StreamReader lines = new(await response.Content.ReadAsStreamAsync());
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        while (!(await lines.ReadLineAsync())!.Contains("hello", StringComparison.Ordinal))
        {
        }

        heard.SetResult();
        var last = (await lines.ReadToEndAsync()).Trim();
        Assert.Equal(code, JsonSerializer.Deserialize<JsonElement>(last["data: ".Length..]).GetProperty("error").GetProperty("code").GetString());
        // A consumer that was given up is told so by its connection's end.
        await (dies ? Task.CompletedTask : over.Task.WaitAsync(TimeSpan.FromMinutes(1)));
    }

    [Fact]
    public async Task Pings_keep_a_silent_consumer_alive()
    {
        await using var slow = await ScriptedConsumer.StartAsync(async (_, say) =>
        {
            await say(Answer[0]);
            for (var i = 0; i < 8; i++)
            {
                await Task.Delay(600);
                await say(new ChatPing());
            }

            foreach (var said in Answer[1..])
            {
                await say(said);
            }
        });
        await AnnounceAsync("a", slow.Url);

        Assert.Equal("hello", await AskAsync());
    }

    [Fact]
    public async Task Whoever_does_not_know_the_secret_is_unavailable()
    {
        await using var other = await ScriptedConsumer.StartAsync((context, _) =>
        {
            context.Response.StatusCode = 401;
            return Task.CompletedTask;
        });
        await AnnounceAsync("a", other.Url);

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "consumer_refused"), await RefusalAsync());
    }

    [Fact]
    public async Task A_model_that_nobody_serves_is_not_found_and_one_that_nobody_chats_with_is_unavailable()
    {
        Assert.Equal((HttpStatusCode.NotFound, "model_not_found"), await RefusalAsync());
        await AnnounceAsync("a", null);
        await AnnounceAsync("b", "http://127.0.0.1:1", draining: true);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "no_live_consumer"), await RefusalAsync());
        await AnnounceAsync("c", "http://127.0.0.1:1");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "consumer_lost"), await RefusalAsync());
    }

    private Task AnnounceAsync(string worker, string? url, int inFlight = 0, bool draining = false) => _server.Get<WorkerRegistry>().HeartbeatAsync(new()
    {
        Id = worker,
        Host = "h",
        ProcessId = 1,
        ProcessStart = TimeSpan.Zero,
        Models = [new ServedModel("scenes", "r1", 4) { ChatUrl = url, ChatsInFlight = inFlight }],
        Draining = draining,
    });

    private Task<HttpResponseMessage> PostAsync() =>
        System.Net.Http.Json.HttpClientJsonExtensions.PostAsJsonAsync(_caller, "/v1/chat/completions", ChatServer.Asking());

    private async Task<string> AskAsync()
    {
        using var response = await PostAsync();
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.OK, text);
        return JsonSerializer.Deserialize<JsonElement>(text).GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!;
    }

    private async Task<(HttpStatusCode Status, string Code)> RefusalAsync()
    {
        using var response = await PostAsync();
        var (status, code, _, _) = await Server.ErrorAsync(response);
        return (status, code);
    }
}
