using System.Net;
using Llava.Dashboard.Live;
using Llava.Dashboard.Tests.Api;
using Llava.Ledger.Jobs;
using Llava.Ledger.Keys;

namespace Llava.Dashboard.Tests.Pages;

/// <summary>The stream of what changes on a page.</summary>
public sealed class EventsTests(Server server) : IClassFixture<Server>
{
    [Fact]
    public async Task The_whole_state_comes_first_and_again_when_it_differs()
    {
        using var http = await server.CallerAsync(AccessRole.Operator);
        var job = await Server.SubmitAsync(http);
        using var stream = await Stream.OpenAsync(http, $"progress:{job}");

        var first = await stream.NextAsync();
        await server.Get<JobControl>().PauseAsync(job);
        var second = await stream.NextAsync();

        Assert.Equal($"progress:{job}", first.Type);
        Assert.Contains("validating", first.Data, StringComparison.Ordinal);
        Assert.Contains("paused", second.Data, StringComparison.Ordinal);
        Assert.NotEqual(first.Id, second.Id);
    }

    [Fact]
    public async Task Whoever_comes_back_is_sent_only_what_changed_since()
    {
        using var http = await server.CallerAsync(AccessRole.Operator);
        var job = await Server.SubmitAsync(http);
        string last;
        using (var stream = await Stream.OpenAsync(http, $"progress:{job}"))
        {
            last = (await stream.NextAsync()).Id;
        }

        using var again = await Stream.OpenAsync(http, $"progress:{job}", last);
        var next = again.NextAsync();
        Assert.NotSame(next, await Task.WhenAny(next, Task.Delay(1500)));
        await server.Get<JobControl>().PauseAsync(job);

        Assert.Contains("paused", (await next).Data, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_tenants_job_says_nothing()
    {
        using var owner = await server.CallerAsync(AccessRole.Operator);
        using var other = await server.CallerAsync(AccessRole.Viewer, "elsewhere");
        var job = await Server.SubmitAsync(owner);

        using var stream = await Stream.OpenAsync(other, $"progress:{job}");
        var next = stream.NextAsync();

        Assert.NotSame(next, await Task.WhenAny(next, Task.Delay(1500)));
    }

    [Fact]
    public async Task Readers_of_one_topic_share_it_and_the_last_ends_it()
    {
        using var http = await server.CallerAsync(AccessRole.Operator);
        var job = await Server.SubmitAsync(http);
        LiveKey key = new("progress", job.ToString(), Server.Tenant);
        var topics = server.Get<LiveTopics>();

        using (var one = await Stream.OpenAsync(http, key.Topic))
        using (var two = await Stream.OpenAsync(http, key.Topic))
        {
            await one.NextAsync();
            await two.NextAsync();
            var shared = topics.Watch(key)!;
            Assert.Equal(3, shared.Watchers);
            topics.Leave(shared);
        }

        // The server notices when it next writes; a change makes it.
        await server.Get<JobControl>().PauseAsync(job);
        await server.Get<JobControl>().ResumeAsync(job);
        for (var waited = 0; waited < 200; waited++)
        {
            var probe = topics.Watch(key)!;
            var others = probe.Watchers - 1;
            topics.Leave(probe);
            if (others == 0)
            {
                return;
            }

            await Task.Delay(100);
        }

        Assert.Fail("The topic is still watched.");
    }

    [Fact]
    public async Task Signing_out_ends_a_readers_streams()
    {
        var made = await server.Get<ApiKeys>().CreateAsync("reader", Server.Tenant, AccessRole.Operator);
        using var http = server.Holder(made.Secret);
        var job = await Server.SubmitAsync(http);
        using var stream = await Stream.OpenAsync(http, $"progress:{job}");
        await stream.NextAsync();

        server.Get<LiveReaders>().CloseAll(made.Key.Id);

        await Assert.ThrowsAnyAsync<IOException>(stream.NextAsync);
    }

    [Fact]
    public async Task Stopping_the_program_ends_all_streams_at_once()
    {
        Server own = new();
        await own.InitializeAsync();
        using var http = await own.CallerAsync(AccessRole.Operator);
        var job = await Server.SubmitAsync(http);
        using var stream = await Stream.OpenAsync(http, $"progress:{job}");
        await stream.NextAsync();

        await own.DisposeAsync().WaitAsync(TimeSpan.FromSeconds(10));

        await Assert.ThrowsAnyAsync<IOException>(stream.NextAsync);
    }

    [Fact]
    public async Task A_stranger_gets_none()
    {
        using var http = server.Stranger();

        using var answer = await http.GetAsync(new Uri("/events?on=alarms", UriKind.Relative));

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    /// <summary>A reader of events; pings are passed over.</summary>
    private sealed class Stream(HttpResponseMessage answer, StreamReader lines) : IDisposable
    {
        public static async Task<Stream> OpenAsync(HttpClient http, string topic, string? lastId = null)
        {
            using HttpRequestMessage request = new(HttpMethod.Get, $"/events?on={Uri.EscapeDataString(topic)}");
            if (lastId is not null)
            {
                request.Headers.Add("Last-Event-ID", lastId);
            }

            var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            Assert.Equal("text/event-stream", answer.Content.Headers.ContentType!.MediaType);
            return new(answer, new(await answer.Content.ReadAsStreamAsync()));
        }

        public async Task<(string Type, string Id, string Data)> NextAsync()
        {
            var (type, id, data) = ("", "", "");
            while (true)
            {
                var line = await lines.ReadLineAsync() ?? throw new EndOfStreamException();
                if (line.Length == 0 && type is not ("ping" or ""))
                {
                    return (type, id, data);
                }

                type = Field(line, "event") ?? (line.Length == 0 ? "" : type);
                id = Field(line, "id") ?? id;
                data = line.Length == 0 ? "" : Field(line, "data") is { } more ? $"{data}{more}\n" : data;
            }
        }

        public void Dispose()
        {
            lines.Dispose();
            answer.Dispose();
        }

        private static string? Field(string line, string name) => line.StartsWith(name + ": ", StringComparison.Ordinal) ? line[(name.Length + 2)..] : null;
    }
}
