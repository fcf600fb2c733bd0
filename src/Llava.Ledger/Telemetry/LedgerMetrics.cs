using System.Diagnostics;
using System.Diagnostics.Metrics;
using Llava.Contracts.States;
using Llava.Contracts.Telemetry;
using Llava.Ledger.Chunks;

namespace Llava.Ledger.Telemetry;

/// <summary>What this process recorded, counted after the commit. The ledger itself is the truth: a process that dies takes its counts along.</summary>
public sealed class LedgerMetrics : IDisposable
{
    private readonly Counter<long> _items;
    private readonly Counter<long> _expired;
    private readonly Counter<long> _split;
    private readonly Counter<long> _republished;
    private readonly Histogram<double> _commitDuration;
    private readonly Histogram<int> _commitResults;
    private readonly Histogram<int> _commitChunks;

    /// <summary>A meter of its own, so that several ledgers of one process are told apart.</summary>
    public LedgerMetrics()
    {
        _items = Meter.CreateCounter<long>("llava.items.finished", "{item}", "Items that have a result");
        _expired = Meter.CreateCounter<long>("llava.chunks.expired", "{chunk}", "Leases that ended unrenewed");
        _split = Meter.CreateCounter<long>("llava.chunks.split", "{chunk}", "Chunks halved to find a poison item");
        _republished = Meter.CreateCounter<long>("llava.chunks.republished", "{chunk}", "Chunks whose message is sent again");
        _commitDuration = Meter.CreateHistogram("llava.ledger.commit.duration", "s", "One commit of results, retries included", advice: Buckets.Seconds);
        _commitResults = Meter.CreateHistogram("llava.ledger.commit.results", "{result}", "Results in one commit", advice: Buckets.Sizes);
        _commitChunks = Meter.CreateHistogram("llava.ledger.commit.chunks", "{chunk}", "Chunks with results in one commit", advice: Buckets.Sizes);
    }

    /// <summary>Its instruments.</summary>
    internal Meter Meter { get; } = new(TelemetrySources.Ledger);

    /// <summary>Items have a result.</summary>
    /// <param name="count">How many.</param>
    /// <param name="outcome">How they ended.</param>
    /// <param name="model">The model that was asked; null where none was.</param>
    /// <param name="error">Code of the failure; null where nothing failed.</param>
    public void ItemsFinished(long count, ItemOutcome outcome, string? model = null, string? error = null)
    {
        if (count == 0 || !_items.Enabled)
        {
            return;
        }

        TagList tags = new() { { TelemetryTags.Outcome, outcome.WireName() } };
        if (model is not null)
        {
            tags.Add(TelemetryTags.Model, ModelTag.Of(model));
        }

        if (error is not null)
        {
            tags.Add(TelemetryTags.Error, error);
        }

        _items.Add(count, tags);
    }

    /// <inheritdoc/>
    public void Dispose() => Meter.Dispose();

    internal void Swept(SweepReport report)
    {
        _expired.Add(report.ExpiredLeases);
        _split.Add(report.Halved);
        _republished.Add(report.Republished);
        ItemsFinished(report.Poisoned, ItemOutcome.Failed, error: LeaseSweep.PoisonCode);
    }

    /// <param name="started">A time stamp of <see cref="Stopwatch"/>.</param>
    /// <param name="results">Results in the commit.</param>
    /// <param name="chunks">Chunks they belong to.</param>
    internal void Committed(long started, int results, int chunks)
    {
        _commitDuration.Record(Stopwatch.GetElapsedTime(started).TotalSeconds);
        _commitResults.Record(results);
        _commitChunks.Record(chunks);
    }
}
