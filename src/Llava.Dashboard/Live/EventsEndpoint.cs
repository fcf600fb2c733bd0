using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Llava.Dashboard.Api;
using Llava.Ledger.Keys;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Llava.Dashboard.Live;

/// <summary>
/// <c>GET /events?on=alarms&amp;on=jobs</c>: server-sent events, one stream for all that a page watches. An event's type is the topic, its
/// data the whole content, its id the versions of all topics: whoever comes back with it is sent only what changed since.
/// </summary>
internal static class EventsEndpoint
{
    private const int MostTopics = 8;
    private const string Ping = "ping";

    /// <summary>How often something is sent although nothing changed, so that broken connections are found.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(15);

    public static void MapEvents(this IEndpointRouteBuilder routes) => routes.MapGet("/events", (HttpContext context, string[] on, LiveTopics topics, LiveReaders readers, TimeProvider time) =>
    {
        var reader = Caller.Of(context.User);
        var keys = on.Distinct(StringComparer.Ordinal).Take(MostTopics).Select(topic => LiveKey.Parse(topic, reader.Confinement)).ToArray();
        var last = context.Request.Headers["Last-Event-ID"].ToString().Split(',');
        return TypedResults.ServerSentEvents(StreamAsync(keys, last, reader.Id, topics, readers, time, context.RequestAborted));
    }).RequireRole(AccessRole.Viewer);

    private static async IAsyncEnumerable<SseItem<string>> StreamAsync(
        LiveKey[] keys, string[] last, string reader, LiveTopics topics, LiveReaders readers, TimeProvider time, [EnumeratorCancellation] CancellationToken request)
    {
        var ended = readers.Open(reader, request);
        var watched = keys.Select(topics.Watch).OfType<LiveTopic>().ToArray();
        try
        {
            var seen = watched.Select((_, index) => last.Length == watched.Length ? last[index] : "").ToArray();
            // Lets the browser know at once that it is connected.
            yield return new("", Ping);
            while (!ended.IsCancellationRequested)
            {
                var changes = watched.Select(topic => topic.NextChange).ToArray();
                var isQuiet = true;
                for (var index = 0; index < watched.Length; index++)
                {
                    if (watched[index].State is { } state && state.Version != seen[index])
                    {
                        seen[index] = state.Version;
                        isQuiet = false;
                        yield return new(state.Html, watched[index].Key.Topic) { EventId = string.Join(',', seen) };
                    }
                }

                if (isQuiet && !await ChangesAsync(changes, time, ended.Token))
                {
                    yield return new("", Ping);
                }
            }
        }
        finally
        {
            Array.ForEach(watched, topics.Leave);
            readers.Close(ended);
        }
    }

    /// <summary>Whether something changed, or the stream ended, before it was quiet for too long.</summary>
    private static async Task<bool> ChangesAsync(Task[] changes, TimeProvider time, CancellationToken ended)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(ended);
        var quiet = Task.Delay(Quiet, time, waiting.Token);
        var first = await Task.WhenAny([.. changes, quiet]);
        await waiting.CancelAsync();
        return first != quiet || ended.IsCancellationRequested;
    }
}
