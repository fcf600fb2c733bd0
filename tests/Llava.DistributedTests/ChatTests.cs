using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Llava.DistributedTests;

/// <summary>Chats through a dashboard process to two consumer processes, one of which dies.</summary>
[Collection(BrokerCollection.Name)]
public sealed class ChatTests
{
    private const string Model = "null-50ms";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task A_chat_dies_with_its_consumer_and_the_next_one_is_answered_by_another()
    {
        await using var cluster = await Cluster.StartAsync(Model);
        using var caller = await cluster.CallerAsync();
        await WaitAsync(async () => (await cluster.Workers.LiveAsync()).Count(worker => worker.Models is [{ ChatUrl: not null }]) == 2);
        using var response = await caller.SendAsync(Asking(string.Join(' ', Enumerable.Repeat("word", 4000)), stream: true), HttpCompletionOption.ResponseHeadersRead);
        using StreamReader lines = new(await response.Content.ReadAsStreamAsync());
        await UntilAsync(lines, "word");

        // Whoever has the chat says so with his next heartbeat.
        string? worker = null;
        await WaitAsync(async () => (worker = (await cluster.Workers.LiveAsync()).FirstOrDefault(one => one.Models is [{ ChatsInFlight: 1 }])?.Id) is not null);
        await cluster.Find(worker!)!.KillAsync();
        var error = JsonSerializer.Deserialize<JsonElement>((await UntilAsync(lines, "\"error\""))["data: ".Length..]).GetProperty("error");
        Assert.Equal("consumer_lost", error.GetProperty("code").GetString());
        Assert.Equal("", (await lines.ReadToEndAsync()).Trim());

        // The dead one still counts as alive for a while; nobody who asks may notice.
        for (var i = 0; i < 6; i++)
        {
            using var next = await caller.SendAsync(Asking("are you there", stream: false));
            var answer = await next.Content.ReadAsStringAsync();
            Assert.True(next.StatusCode == HttpStatusCode.OK, answer);
            Assert.Contains("\"content\":\"are you there\"", answer, StringComparison.Ordinal);
        }
    }

    private static HttpRequestMessage Asking(string words, bool stream) => new(HttpMethod.Post, "/v1/chat/completions")
    {
        Content = JsonContent.Create(new { model = Model, stream, max_tokens = 4000, messages = new[] { new { role = "user", content = words } } }),
    };

    private static async Task<string> UntilAsync(StreamReader lines, string text)
    {
        using CancellationTokenSource limit = new(Patience);
        while (true)
        {
            var line = await lines.ReadLineAsync(limit.Token) ?? throw new InvalidOperationException($"The stream ended before '{text}' came.");
            if (line.Contains(text, StringComparison.Ordinal))
            {
                return line;
            }
        }
    }

    private static async Task WaitAsync(Func<Task<bool>> isTrue)
    {
        var waited = Stopwatch.StartNew();
        while (!await isTrue())
        {
            Assert.True(waited.Elapsed < Patience, "What was waited for did not happen.");
            await Task.Delay(50);
        }
    }
}
