using System.Text.Json;
using System.Text.Json.Nodes;
using Llava.Contracts.Interactive;
using Llava.Dashboard.OpenAi.Chat;
using Llava.Dashboard.Tests.Api;
using Llava.Ledger.Keys;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Llava.Dashboard.Tests.OpenAi.Chat;

/// <summary>Streams byte by byte, as OpenAI's libraries compare them.</summary>
public sealed class ChatStreamTests(ChatServer chat) : IClassFixture<ChatServer>
{
    [Fact]
    public async Task A_stream_is_the_role_the_words_the_reason_the_totals_and_the_end()
    {
        chat.Models.Events = new ScriptedInteractive().Events;
        using var response = await chat.PostAsync(Streaming(includesUsage: true));
        var events = Events(await response.Content.ReadAsStringAsync());
        var chunks = events[..^1].Select(text => JsonSerializer.Deserialize<JsonElement>(text)).ToList();

        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.ToString());
        Assert.Equal(("no", "no-cache"), (response.Headers.GetValues("X-Accel-Buffering").Single(), response.Headers.CacheControl!.ToString()));
        Assert.True(response.Headers.Contains("x-request-id"));
        Assert.Equal("[DONE]", events[^1]);
        Assert.Equal(
            ["""{"role":"assistant","content":""}""", """{"content":"A circle"}""", """{"content":" — blau."}""", "{}"],
            chunks[..^1].Select(chunk => JsonNode.Parse(chunk.GetProperty("choices")[0].GetProperty("delta").GetRawText())!.ToJsonString(new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping })));
        Assert.Equal([null, null, null, "stop"], chunks[..^1].Select(chunk => chunk.GetProperty("choices")[0].GetProperty("finish_reason").GetString()));
        Assert.All(chunks[..^1], chunk => Assert.Equal((JsonValueKind.Null, JsonValueKind.Null), (chunk.GetProperty("usage").ValueKind, chunk.GetProperty("choices")[0].GetProperty("logprobs").ValueKind)));
        Assert.Equal((0, 122), (chunks[^1].GetProperty("choices").GetArrayLength(), chunks[^1].GetProperty("usage").GetProperty("total_tokens").GetInt32()));
        Assert.Single(chunks.Select(chunk => (chunk.GetProperty("id").GetString(), chunk.GetProperty("created").GetInt64(), chunk.GetProperty("object").GetString())).Distinct());
    }

    [Fact]
    public async Task Nobody_gets_totals_who_did_not_ask_for_them()
    {
        chat.Models.Events = new ScriptedInteractive().Events;
        using var response = await chat.PostAsync(Streaming(includesUsage: false));

        Assert.DoesNotContain("total_tokens", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_fails_in_the_middle_ends_with_an_error_and_not_with_the_end()
    {
        chat.Models.Events = [new ChatStarted("r1"), new ChatText(0, "A"), new ChatFailed(new(InteractiveFailure.Unavailable, "consumer_lost", "It went away."))];
        using var response = await chat.PostAsync(Streaming(includesUsage: true));
        var events = Events(await response.Content.ReadAsStringAsync());
        var error = JsonSerializer.Deserialize<JsonElement>(events[^1]).GetProperty("error");

        Assert.Equal(("consumer_lost", "server_error", JsonValueKind.Null), (error.GetProperty("code").GetString(), error.GetProperty("type").GetString(), error.GetProperty("param").ValueKind));
        Assert.Contains(response.Headers.GetValues("x-request-id").Single(), error.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain("[DONE]", events);
    }

    [Fact]
    public async Task Words_come_one_by_one_and_who_goes_away_ends_the_chat()
    {
        ScriptedInteractive models = new() { Events = null };
        var server = new Server().With(services => services.AddSingleton<IInteractiveModels>(models));
        await server.InitializeAsync();
        using var caller = await server.CallerAsync(AccessRole.Operator);
        await models.Said.Writer.WriteAsync(new ChatStarted("r1"));
        using (HttpRequestMessage request = new(HttpMethod.Post, "/v1/chat/completions") { Content = System.Net.Http.Json.JsonContent.Create(Streaming(includesUsage: false)) })
        using (var response = await caller.SendAsync(request, HttpCompletionOption.ResponseHeadersRead))
        {
            using StreamReader lines = new(await response.Content.ReadAsStreamAsync());
            foreach (var word in new[] { "assistant", "one", "two" })
            {
                Assert.Contains(word, await lines.ReadLineAsync(), StringComparison.Ordinal);
                Assert.Equal("", await lines.ReadLineAsync());
                // The next word is said only after the one before was read.
                await models.Said.Writer.WriteAsync(new ChatText(0, word == "assistant" ? "one" : "two"));
            }

            Assert.False(models.GivenUp.Task.IsCompleted);
        }

        await models.GivenUp.Task.WaitAsync(TimeSpan.FromMinutes(1));
        await server.DisposeAsync();
    }

    [Fact]
    public async Task A_silent_model_is_bridged_with_comments()
    {
        FakeTimeProvider clock = new(DateTimeOffset.UtcNow);
        ScriptedInteractive models = new() { Events = null };
        var server = new Server().With(services => services.AddSingleton<IInteractiveModels>(models).AddSingleton<TimeProvider>(clock));
        await server.InitializeAsync();
        using var caller = await server.CallerAsync(AccessRole.Operator);
        await models.Said.Writer.WriteAsync(new ChatStarted("r1"));
        using HttpRequestMessage request = new(HttpMethod.Post, "/v1/chat/completions") { Content = System.Net.Http.Json.JsonContent.Create(Streaming(includesUsage: false)) };
        using var response = await caller.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using StreamReader lines = new(await response.Content.ReadAsStreamAsync());
        await lines.ReadLineAsync();
        await lines.ReadLineAsync();
        var next = lines.ReadLineAsync();
        while (!next.IsCompleted)
        {
            clock.Advance(EventStream.PingInterval);
            await Task.WhenAny(next, Task.Delay(10));
        }

        Assert.Equal(": ping", await next);
        models.Said.Writer.Complete();
        await server.DisposeAsync();
    }

    private static JsonObject Streaming(bool includesUsage)
    {
        var body = ChatServer.With("stream", "true");
        body["stream_options"] = new JsonObject { ["include_usage"] = includesUsage };
        return body;
    }

    /// <summary>What stands behind <c>data: </c>; nothing else may be there.</summary>
    private static List<string> Events(string stream)
    {
        Assert.EndsWith("\n\n", stream, StringComparison.Ordinal);
        var events = stream.Split("\n\n")[..^1];
        Assert.All(events, text => Assert.StartsWith("data: ", text, StringComparison.Ordinal));
        return [.. events.Select(text => text["data: ".Length..])];
    }
}
