using Llava.Contracts;
using Llava.Contracts.States;
using Llava.Dashboard.Elements;
using Llava.Ledger.Jobs;
using Llava.Ledger.Throughput;

namespace Llava.Dashboard.Overview;

/// <summary>
/// Results of the last half hour in spans of ten seconds, kept in memory: the ledger is asked only for the newest spans, so a million
/// results cost no more than a thousand.
/// </summary>
internal sealed class RecentWork(ThroughputReader throughput, JobReader jobs, TimeProvider time) : IDisposable
{
    /// <summary>How far back is remembered.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(30);

    private static readonly TimeSpan Span = TimeSpan.FromSeconds(10);

    /// <summary>Commits come late: spans are counted again until they are this old.</summary>
    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _looking = new(1);
    private readonly Dictionary<JobId, string> _tenants = [];
    private List<WorkCount> _counts = [];
    private DateTimeOffset _lookedAt = DateTimeOffset.UnixEpoch;

    /// <summary>Items and tokens per second of a tenant, or of all.</summary>
    public async Task<TimeSeries> SeriesAsync(string? tenant, CancellationToken cancellation)
    {
        var counts = await CountsAsync(tenant, cancellation);
        var bySpan = counts.GroupBy(count => count.At).ToDictionary(span => span.Key, span => (Items: span.Sum(one => one.Items), Tokens: span.Sum(one => one.Tokens)));
        // The span that has just begun would always look like a fall.
        var last = Floor(time.GetUtcNow()) - Span;
        var moments = Enumerable.Range(0, (int)(Window / Span)).Select(back => last - (back * Span)).Reverse().ToArray();
        return new(
            [.. moments.Select(moment => (double)moment.ToUnixTimeSeconds())],
            [
                new("items/s", [.. moments.Select(moment => (double?)(bySpan.GetValueOrDefault(moment).Items / Span.TotalSeconds))]),
                new("tokens/s", [.. moments.Select(moment => (double?)(bySpan.GetValueOrDefault(moment).Tokens / Span.TotalSeconds))], OwnScale: true),
            ]);
    }

    /// <summary>How many results came in the last minutes, and how many of them failed.</summary>
    public async Task<(long Results, long Failed)> OutcomesAsync(TimeSpan within, string? tenant, CancellationToken cancellation)
    {
        var since = time.GetUtcNow() - within;
        var counts = (await CountsAsync(tenant, cancellation)).Where(count => count.At >= since && count.Outcome is ItemOutcome.Succeeded or ItemOutcome.Failed).ToList();
        return (counts.Sum(count => count.Items), counts.Where(count => count.Outcome == ItemOutcome.Failed).Sum(count => count.Items));
    }

    /// <summary>How many sequences ran at once over the last minute, on the mean.</summary>
    public async Task<double> RunningAsync(string? tenant, CancellationToken cancellation)
    {
        var (from, until) = (Floor(time.GetUtcNow()) - TimeSpan.FromMinutes(1), Floor(time.GetUtcNow()));
        return (await CountsAsync(tenant, cancellation)).Where(count => count.At >= from && count.At < until).Sum(count => count.InSlots.TotalSeconds) / (until - from).TotalSeconds;
    }

    public void Dispose() => _looking.Dispose();

    private async Task<IReadOnlyList<WorkCount>> CountsAsync(string? tenant, CancellationToken cancellation)
    {
        await _looking.WaitAsync(cancellation);
        try
        {
            var now = time.GetUtcNow();
            if (now - _lookedAt >= Fresh)
            {
                var from = Floor(Later(now - Window, _lookedAt - Settled));
                _counts = [.. _counts.Where(count => count.At < from && count.At >= now - Window), .. await throughput.SinceAsync(from, Span, cancellation)];
                _lookedAt = now;
            }

            return tenant is null ? _counts : await OfTenantAsync(tenant, cancellation);
        }
        finally
        {
            _looking.Release();
        }
    }

    private async Task<IReadOnlyList<WorkCount>> OfTenantAsync(string tenant, CancellationToken cancellation)
    {
        var seen = _counts.Select(count => count.Job).ToHashSet();
        foreach (var job in _tenants.Keys.Where(job => !seen.Contains(job)).ToList())
        {
            _tenants.Remove(job);
        }

        foreach (var job in seen.Where(job => !_tenants.ContainsKey(job)))
        {
            _tenants[job] = (await jobs.FindAsync(job, cancellation))?.Request.Tenant ?? "";
        }

        return [.. _counts.Where(count => _tenants[count.Job] == tenant)];
    }

    private static DateTimeOffset Later(DateTimeOffset one, DateTimeOffset other) => one > other ? one : other;

    private static DateTimeOffset Floor(DateTimeOffset moment) => DateTimeOffset.FromUnixTimeMilliseconds(moment.ToUnixTimeMilliseconds() / (long)Span.TotalMilliseconds * (long)Span.TotalMilliseconds);
}
