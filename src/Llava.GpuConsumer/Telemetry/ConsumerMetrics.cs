using System.Diagnostics;
using System.Diagnostics.Metrics;
using Llava.Contracts.Telemetry;
using Llava.GpuConsumer.Models;
using Llava.Ledger.Results;
using Llava.ModelCore.Engine;

namespace Llava.GpuConsumer.Telemetry;

/// <summary>What this consumer does. The engine's own numbers are read from its statistics when a collector asks, so that its thread never waits for one.</summary>
internal sealed class ConsumerMetrics : IDisposable
{
    private readonly Meter _meter = new(TelemetrySources.Consumer);
    private readonly ModelPool _models;
    private readonly Counter<long> _claimed;
    private readonly Counter<long> _tokens;
    private readonly Counter<double> _waited;
    private readonly Histogram<double> _claimDuration;
    private readonly Histogram<double> _saveDuration;
    private readonly Histogram<double> _queued;
    private readonly Histogram<double> _firstToken;
    private readonly Histogram<double> _perToken;

    public ConsumerMetrics(ModelPool models)
    {
        _models = models;
        _claimed = _meter.CreateCounter<long>("llava.chunks.claimed", "{chunk}", "Chunks that were claimed");
        _tokens = _meter.CreateCounter<long>("llava.tokens", "{token}", "Tokens of recorded answers");
        _waited = _meter.CreateCounter<double>("llava.training.waited", "s", "Time that training waited for more urgent answers");
        _claimDuration = _meter.CreateHistogram("llava.chunk.claim.duration", "s", "One claim, commit included", advice: Buckets.Seconds);
        _saveDuration = _meter.CreateHistogram("llava.chunk.save.duration", "s", "From finished items to their commit", advice: Buckets.Seconds);
        _queued = _meter.CreateHistogram("llava.item.queue.duration", "s", "An item's wait for a slot of the engine", advice: Buckets.Seconds);
        _firstToken = _meter.CreateHistogram("llava.item.time_to_first_token", "s", "From the engine's queue to the first token", advice: Buckets.Seconds);
        _perToken = _meter.CreateHistogram("llava.item.time_per_token", "s", "Mean time between the tokens of an item after its first", advice: Buckets.Seconds);
        Gauge("llava.engine.slots", "{slot}", "Sequences that can run at the same time", engine => engine.Slots);
        Gauge("llava.engine.slots.free", "{slot}", "Slots that nothing runs in", engine => engine.Slots - engine.Running);
        Gauge("llava.engine.sequences.running", "{sequence}", "Sequences in slots", engine => engine.Running);
        Gauge("llava.engine.sequences.waiting", "{sequence}", "Sequences that wait for a slot", engine => engine.Waiting);
        Gauge("llava.engine.kv.usage", "1", "Share of the KV cache that running sequences reserve", engine => engine.KvUsage);
        Gauge("llava.engine.batch.fill", "1", "Mean share of the slots that decoded in a decoding step, since the start", engine => engine.BatchFill);
        Count("llava.engine.steps", "{step}", "Steps", engine => engine.Steps);
        Count("llava.engine.steps.decode", "{step}", "Steps that decoded", engine => engine.DecodeSteps);
        Count("llava.engine.tokens.prefill", "{token}", "Prompt positions computed", engine => engine.PrefillTokens);
        Count("llava.engine.tokens.decode", "{token}", "Tokens decoded", engine => engine.DecodeTokens);
        Count("llava.engine.tokens.cached", "{token}", "Prompt positions copied from a shared prefix", engine => engine.CachedTokens);
        Count("llava.engine.prefix.hits", "{sequence}", "Sequences that copied a shared prefix", engine => engine.PrefixHits);
        Count("llava.engine.features.hits", "{image}", "Images whose features were cached", engine => engine.FeatureHits);
        Count("llava.engine.images.encoded", "{image}", "Images that went through the vision tower", engine => engine.ImagesEncoded);
        Count("llava.engine.sequences.failed", "{sequence}", "Sequences that ended with an error", engine => engine.Failed);
    }

    /// <param name="duration">How long the claim took.</param>
    /// <param name="model">Model of the chunk.</param>
    /// <param name="isClaimed">Whether there was anything to do.</param>
    public void Claimed(TimeSpan duration, string model, bool isClaimed)
    {
        var tag = Tag(model);
        _claimDuration.Record(duration.TotalSeconds, tag);
        _claimed.Add(isClaimed ? 1 : 0, tag);
    }

    /// <summary>A training run let answers go first.</summary>
    public void TrainingWaited(TimeSpan waited) => _waited.Add(waited.TotalSeconds);

    /// <summary>Items were recorded.</summary>
    /// <param name="started">When they were handed to the ledger, a time stamp of <see cref="Stopwatch"/>.</param>
    /// <param name="model">The model that answered.</param>
    /// <param name="items">What became of them.</param>
    public void Saved(long started, string model, IReadOnlyList<FinishedItem> items)
    {
        var tag = Tag(model);
        _saveDuration.Record(Stopwatch.GetElapsedTime(started).TotalSeconds, tag);
        AddTokens("prompt", items.Sum(item => item.Usage.PromptTokens));
        AddTokens("cached", items.Sum(item => item.Usage.CachedTokens));
        AddTokens("completion", items.Sum(item => item.Usage.CompletionTokens));

        // Those that no engine answered took no time that could be told.
        foreach (var item in items)
        {
            if (item.Timings is { } timings)
            {
                _queued.Record(timings.QueueMs / 1000, tag);
                _firstToken.Record((timings.QueueMs + timings.PrefillMs) / 1000, tag);
                if (item.Usage.CompletionTokens > 1)
                {
                    _perToken.Record(timings.DecodeMs / 1000 / (item.Usage.CompletionTokens - 1), tag);
                }
            }
        }

        void AddTokens(string kind, int count) => _tokens.Add(count, tag, new(TelemetryTags.TokenKind, kind));
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    private static KeyValuePair<string, object?> Tag(string model) => new(TelemetryTags.Model, ModelTag.Of(model));

    private void Gauge(string name, string unit, string description, Func<EngineStatistics, double> read) =>
        _meter.CreateObservableGauge(name, () => Measure(read), unit, description);

    private void Count(string name, string unit, string description, Func<EngineStatistics, long> read) =>
        _meter.CreateObservableCounter(name, () => Measure(read), unit, description);

    private IEnumerable<Measurement<T>> Measure<T>(Func<EngineStatistics, T> read)
        where T : struct =>
        from runner in _models.Loaded
        let engine = runner.Statistics
        where engine is not null
        select new Measurement<T>(read(engine), Tag(runner.Model));
}
