using Llava.Ledger.Signals;
using Microsoft.Extensions.Logging;

namespace Llava.Dashboard.Live;

/// <summary>The topics that somebody watches; each looks at the ledger for all its readers and ends with the last of them.</summary>
internal sealed class LiveTopics(IEnumerable<LiveSource> sources, ILedgerSignal signal, TimeProvider time, ILogger<LiveTopics> logger)
{
    /// <summary>Most topics at a time: their keys come from outside.</summary>
    private const int Most = 256;

    private readonly Dictionary<string, LiveSource> _sources = sources.ToDictionary(source => source.Name);
    private readonly Dictionary<LiveKey, Running> _topics = [];
    private readonly Lock _lock = new();

    /// <summary>Number of topics that are watched.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _topics.Count;
            }
        }
    }

    /// <summary>Starts watching; null when there is no such source, or too much is watched.</summary>
    public LiveTopic? Watch(LiveKey key)
    {
        lock (_lock)
        {
            if (!_topics.TryGetValue(key, out var running))
            {
                if (_topics.Count >= Most || !_sources.TryGetValue(key.Source, out var source))
                {
                    return null;
                }

                CancellationTokenSource unwatched = new();
                _topics[key] = running = new(new(source, key, signal, time, logger), unwatched);
                _ = Task.Run(() => running.Topic.RunAsync(unwatched.Token), CancellationToken.None);
            }

            running.Topic.Watchers++;
            return running.Topic;
        }
    }

    /// <summary>Ends what <see cref="Watch"/> started.</summary>
    public void Leave(LiveTopic topic)
    {
        lock (_lock)
        {
            if (--topic.Watchers == 0 && _topics.Remove(topic.Key, out var running))
            {
                running.Unwatched.Cancel();
                running.Unwatched.Dispose();
            }
        }
    }

    private sealed record Running(LiveTopic Topic, CancellationTokenSource Unwatched);
}
