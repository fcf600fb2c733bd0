using System.Diagnostics.Metrics;
using Llava.Contracts.States;
using Llava.Ledger.Backlogs;
using Llava.Ledger.Workers;
using Llava.Scheduler.Telemetry;
using Microsoft.Extensions.Time.Testing;

namespace Llava.Scheduler.Tests;

public sealed class SchedulerMetricsTests : IDisposable
{
    private readonly FakeTimeProvider _clock = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly SchedulerMetrics _metrics;

    public SchedulerMetricsTests() => _metrics = new(_clock);

    public void Dispose() => _metrics.Dispose();

    [Fact]
    public void Models_that_nobody_serves_share_one_series_however_many_are_asked_for()
    {
        var work = Enumerable.Range(0, 5000).Select(i => new PendingWork($"invented-{i}", ChunkState.Open, 1, 3, _clock.GetUtcNow().AddSeconds(-i)))
            .Append(new("/somewhere/models/scenes", ChunkState.Leased, 2, 7, _clock.GetUtcNow()));
        Observe([.. work]);

        var items = Read("llava.backlog.items");

        Assert.Equal(4, items.Count);
        Assert.Equal((15_000, 7), (items[$"{SchedulerMetrics.Unserved} open"], items["scenes leased"]));
        Assert.Equal(4999, Read("llava.backlog.age")[$"{SchedulerMetrics.Unserved} open"]);
    }

    [Fact]
    public void Work_that_is_gone_is_zero_and_not_what_was_seen_last()
    {
        Observe([new("/somewhere/models/scenes", ChunkState.Open, 2, 7, _clock.GetUtcNow())]);
        Assert.Equal(7, Read("llava.backlog.items")["scenes open"]);

        Observe([]);

        Assert.Equal(0, Read("llava.backlog.items")["scenes open"]);
        Assert.Equal(0, Read("llava.jobs")["running"]);
        Assert.Equal(1, Read("llava.jobs")["queued"]);
    }

    private void Observe(IReadOnlyList<PendingWork> work) => _metrics.Observe(
        new(new Dictionary<JobState, long> { [JobState.Queued] = 1 }, work),
        [Worker("a", draining: false), Worker("b", draining: true)]);

    private WorkerRecord Worker(string id, bool draining) => new()
    {
        Id = id,
        Host = "here",
        ProcessId = 1,
        ProcessStart = default,
        Models = [new(draining ? "leaving" : "/somewhere/models/scenes", "r1", 8)],
        Draining = draining,
    };

    /// <summary>The gauge's values by the values of their tags.</summary>
    private Dictionary<string, double> Read(string name)
    {
        Dictionary<string, double> values = [];
        using MeterListener listener = new()
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter == _metrics.Meter && instrument.Name == name)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<double>((_, value, tags, _) => values[Key(tags)] = value);
        listener.SetMeasurementEventCallback<long>((_, value, tags, _) => values[Key(tags)] = value);
        listener.Start();
        listener.RecordObservableInstruments();
        return values;

        static string Key(ReadOnlySpan<KeyValuePair<string, object?>> tags) => string.Join(' ', tags.ToArray().Select(tag => tag.Value));
    }
}
