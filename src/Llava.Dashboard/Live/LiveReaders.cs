using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;

namespace Llava.Dashboard.Live;

/// <summary>Open streams and whose they are, so that signing out and stopping end them.</summary>
internal sealed class LiveReaders(IHostApplicationLifetime lifetime)
{
    private readonly ConcurrentDictionary<CancellationTokenSource, string> _open = [];

    /// <summary>Number of open streams.</summary>
    public int Count => _open.Count;

    /// <summary>A stream of this reader begins; its token ends with the request, the program or the reader's session.</summary>
    public CancellationTokenSource Open(string reader, CancellationToken request)
    {
        var ended = CancellationTokenSource.CreateLinkedTokenSource(request, lifetime.ApplicationStopping);
        _open[ended] = reader;
        return ended;
    }

    /// <summary>A stream is over.</summary>
    public void Close(CancellationTokenSource ended)
    {
        _open.TryRemove(ended, out _);
        ended.Dispose();
    }

    /// <summary>Ends all streams of a reader (<see cref="Api.Caller.Id"/>): for signing out and for rights that were taken away.</summary>
    public void CloseAll(string reader)
    {
        foreach (var (ended, _) in _open.Where(stream => stream.Value == reader))
        {
            try
            {
                ended.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // It ended by itself in this moment.
            }
        }
    }
}
