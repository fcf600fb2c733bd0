using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using Llava.Ledger.Signals;
using Microsoft.Extensions.Logging;

namespace Llava.Dashboard.Live;

/// <summary>
/// What a key's readers see, looked at once for all of them: when the ledger rings or the poll is due, but no more than four times a second
/// and never for more than a tenth of the time.
/// </summary>
internal sealed partial class LiveTopic(LiveSource source, LiveKey key, ILedgerSignal signal, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(250);

    private volatile LiveState? _state;
    private TaskCompletionSource _changed = NewChange();

    public LiveKey Key => key;

    /// <summary>How many watch; changed by <see cref="LiveTopics"/> alone.</summary>
    public int Watchers { get; set; }

    /// <summary>The newest content; null before the first look, and while there is no such thing.</summary>
    public LiveState? State => _state;

    /// <summary>Ends when the content changes next. Ask before looking at <see cref="State"/>, so that no change is missed.</summary>
    public Task NextChange => Volatile.Read(ref _changed).Task;

    /// <summary>Looks until nobody watches any more.</summary>
    public async Task RunAsync(CancellationToken unwatched)
    {
        using var rings = signal.Listen(Enum.GetValues<LedgerTopic>());
        while (!unwatched.IsCancellationRequested)
        {
            var started = Stopwatch.GetTimestamp();
            await LookAsync(unwatched);
            var took = Stopwatch.GetElapsedTime(started);
            var rest = took * 9 > Shortest ? took * 9 : Shortest;
            await Task.WhenAny(Task.Delay(rest, time, unwatched));
            if (!unwatched.IsCancellationRequested && source.Poll > rest)
            {
                await Task.WhenAny(rings.WaitAsync(source.Poll - rest, unwatched));
            }
        }
    }

    private async Task LookAsync(CancellationToken unwatched)
    {
        try
        {
            if (await source.RenderAsync(key, unwatched) is { } html && html != _state?.Html)
            {
                _state = new(html, Hash(html));
                Interlocked.Exchange(ref _changed, NewChange()).SetResult();
            }
        }
        catch (Exception failure) when (!unwatched.IsCancellationRequested)
        {
            // What was seen last stays on the page; the alarms say that the ledger is away.
            NotSeen(key.Topic, failure);
        }
        catch (OperationCanceledException)
        {
            // Nobody watches any more.
        }
    }

    private static TaskCompletionSource NewChange() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static string Hash(string html) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(html)))[..16];

    [LoggerMessage(5090, LogLevel.Debug, "What is shown live of {Topic} could not be read; it is tried again")]
    private partial void NotSeen(string topic, Exception failure);
}

/// <summary>A topic's content.</summary>
/// <param name="Html">What stands inside the element.</param>
/// <param name="Version">Hash of it: the same after a restart, so that a reader who comes back is sent only what differs.</param>
internal sealed record LiveState(string Html, string Version);
