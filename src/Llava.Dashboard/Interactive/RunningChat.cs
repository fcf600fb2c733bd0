using Llava.Contracts.Interactive;

namespace Llava.Dashboard.Interactive;

/// <summary>A chat that somebody has taken. Disposing it ends it.</summary>
internal sealed class RunningChat : IAsyncDisposable
{
    private readonly IAsyncEnumerator<ChatEvent> _events;
    private readonly IDisposable? _held;

    private RunningChat(IAsyncEnumerator<ChatEvent> events, IDisposable? held, string revision) => (_events, _held, Revision) = (events, held, revision);

    /// <summary>Revision of the weights that answer.</summary>
    public string Revision { get; }

    /// <summary>What happens now; valid after <see cref="MoveNextAsync"/> said true.</summary>
    public ChatEvent Current => _events.Current;

    /// <summary>Waits until the chat is taken.</summary>
    /// <param name="events">The chat from its first event on.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <param name="held">Disposed with the chat.</param>
    /// <exception cref="InteractiveException">It was refused.</exception>
    public static async Task<RunningChat> StartAsync(IAsyncEnumerable<ChatEvent> events, CancellationToken cancellation, IDisposable? held = null)
    {
        var running = events.GetAsyncEnumerator(cancellation);
        try
        {
            return await running.MoveNextAsync() && running.Current is ChatStarted started
                ? new(running, held, started.Revision)
                : throw new InteractiveException(new(InteractiveFailure.Broken, "consumer_protocol_error", "The consumer did not say that it took the chat; dashboard and consumers must have the same version."));
        }
        catch
        {
            await running.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits for the next event; false when there is none.</summary>
    /// <exception cref="InteractiveException">The chat came to nothing.</exception>
    public ValueTask<bool> MoveNextAsync() => _events.MoveNextAsync();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _events.DisposeAsync();
        _held?.Dispose();
    }
}
