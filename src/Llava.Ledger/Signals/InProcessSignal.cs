using System.Collections.Concurrent;
using System.Threading.Channels;

namespace Llava.Ledger.Signals;

/// <inheritdoc cref="ILedgerSignal"/>
internal sealed class InProcessSignal(TimeProvider time) : ILedgerSignal
{
    private readonly ConcurrentDictionary<Listener, byte> _listeners = [];

    public void Ring(LedgerTopic topic)
    {
        foreach (var (listener, _) in _listeners)
        {
            listener.Hear(topic);
        }
    }

    public ILedgerListener Listen(params IReadOnlyList<LedgerTopic> topics)
    {
        Listener listener = new(this, topics);
        _listeners[listener] = 0;
        return listener;
    }

    private sealed class Listener(InProcessSignal owner, IReadOnlyList<LedgerTopic> topics) : ILedgerListener
    {
        // Room for one ring: any number of them mean the same, "look again".
        private readonly Channel<LedgerTopic> _rings = Channel.CreateBounded<LedgerTopic>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

        public void Hear(LedgerTopic topic)
        {
            if (topics.Contains(topic))
            {
                _rings.Writer.TryWrite(topic);
            }
        }

        public async Task WaitAsync(TimeSpan atMost, CancellationToken cancellation)
        {
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            var ring = _rings.Reader.WaitToReadAsync(ended.Token).AsTask();
            await Task.WhenAny(ring, Task.Delay(atMost, owner.Time, ended.Token));
            _rings.Reader.TryRead(out _);
            await ended.CancelAsync();
            cancellation.ThrowIfCancellationRequested();
        }

        public void Dispose() => owner._listeners.TryRemove(this, out _);
    }

    private TimeProvider Time { get; } = time;
}
