using System.Net.Http.Headers;
using Llava.Contracts;
using Llava.Ledger.Keys;

namespace Llava.Benchmarks.Streams;

/// <summary>People who look at pages: each has a key and a stream.</summary>
internal sealed class Readers(Uri address, ApiKeys keys) : IAsyncDisposable
{
    private const string Tenant = "default";

    private readonly List<HttpClient> _callers = [];
    private CancellationTokenSource _ended = new();
    private readonly List<Task> _reading = [];
    private long _bytes;

    /// <summary>Bytes that all have read.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>What the pages watch that are looked at.</summary>
    public IReadOnlyList<string> Topics { get; } = ["alarms, overview", "alarms, jobs", "alarms, consumers", "alarms, job"];

    /// <summary>Waits until the dashboard answers.</summary>
    public async Task WaitForDashboardAsync(CancellationToken cancellation)
    {
        using HttpClient http = new() { BaseAddress = address };
        while (true)
        {
            try
            {
                using var alive = await http.GetAsync(new Uri("/alive", UriKind.Relative), cancellation);
                return;
            }
            catch (HttpRequestException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200), cancellation);
            }
        }
    }

    /// <summary>Opens streams until there are so many; earlier ones stay.</summary>
    public async Task OpenAsync(int count, JobId job, CancellationToken cancellation)
    {
        string[] pages = ["on=alarms&on=overview", "on=alarms&on=jobs", "on=alarms&on=consumers", $"on=alarms&on=job:{job}"];
        while (_reading.Count < count)
        {
            var key = await keys.CreateAsync("reader", Tenant, AccessRole.Viewer, cancellation: cancellation);
            HttpClient caller = new() { BaseAddress = address, Timeout = Timeout.InfiniteTimeSpan };
            caller.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key.Secret);
            _callers.Add(caller);
            var stream = await caller.GetStreamAsync(new Uri($"/events?{pages[_reading.Count % pages.Length]}", UriKind.Relative), cancellation);
            _reading.Add(ReadAsync(stream, _ended.Token));
        }
    }

    /// <summary>Closes all streams.</summary>
    public async Task CloseAsync()
    {
        await _ended.CancelAsync();
        await Task.WhenAll(_reading);
        _callers.ForEach(caller => caller.Dispose());
        _ended.Dispose();
        _reading.Clear();
        _callers.Clear();
        _ended = new();
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        _ended.Dispose();
    }

    private async Task ReadAsync(Stream stream, CancellationToken ended)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await stream.ReadAsync(buffer, ended) is var read and > 0)
            {
                Interlocked.Add(ref _bytes, read);
            }

            throw new InvalidOperationException("A stream ended before its time.");
        }
        catch (OperationCanceledException)
        {
            // The measurement is over.
        }
    }
}
