using System.Diagnostics.Metrics;
using Llava.Contracts.States;
using Llava.Contracts.Telemetry;
using Llava.Ledger.Backlogs;
using Llava.Ledger.Workers;

namespace Llava.Scheduler.Telemetry;

/// <summary>
/// What goes out, and what the ledger holds. Every scheduler reports the whole ledger, so that queries take the largest and not the sum.
/// </summary>
internal sealed class SchedulerMetrics : IDisposable
{
    /// <summary>
    /// Stands for models that no live worker serves: whoever submits may name what he likes, and a series for each
    /// such name is what a stranger must not be able to make.
    /// </summary>
    public const string Unserved = "(unserved)";

    private readonly TimeProvider _time;
    private readonly Counter<long> _dispatched;
    private readonly Instrument _jobs;
    private volatile Sample? _sample;

    public SchedulerMetrics(TimeProvider time)
    {
        _time = time;
        _dispatched = Meter.CreateCounter<long>("llava.chunks.dispatched", "{chunk}", "Chunks whose message went out");
        _jobs = Meter.CreateObservableGauge("llava.jobs", MeasureJobs, "{job}", "Jobs in the ledger");
        Meter.CreateObservableGauge("llava.backlog.items", () => MeasureWork(work => work.Sum(one => one.Items)), "{item}", "Items of chunks that are not done, of jobs that may run");
        Meter.CreateObservableGauge("llava.backlog.chunks", () => MeasureWork(work => work.Sum(one => one.Chunks)), "{chunk}", "Chunks that are not done, of jobs that may run");
        Meter.CreateObservableGauge("llava.backlog.age", () => MeasureWork(Age), "s", "Since the oldest job with such chunks was submitted");
        Meter.CreateObservableGauge("llava.workers", () => MeasureModels(_ => 1), "{worker}", "Live workers that take chunks");
        Meter.CreateObservableGauge("llava.workers.slots", () => MeasureModels(model => model.Slots), "{slot}", "Slots that live workers announce");
    }

    /// <summary>Its instruments.</summary>
    public Meter Meter { get; } = new(TelemetrySources.Scheduler);

    /// <summary>Whether anybody collects what has to be asked of the ledger.</summary>
    public bool WantsBacklog => _jobs.Enabled;

    /// <summary>Chunks went out.</summary>
    public void Dispatched(int chunks, string model) => _dispatched.Add(chunks, Tag(model));

    /// <summary>Reports this from now on.</summary>
    public void Observe(Backlog backlog, IReadOnlyList<WorkerRecord> workers) =>
        _sample = new(backlog, [.. workers.Where(worker => !worker.Draining).SelectMany(worker => worker.Models)]);

    /// <inheritdoc/>
    public void Dispose() => Meter.Dispose();

    private static KeyValuePair<string, object?> Tag(string model) => new(TelemetryTags.Model, ModelTag.Of(model));

    // All states, so that one that no job is in is 0 and not the last that was seen.
    private IEnumerable<Measurement<long>> MeasureJobs() => _sample is not { } sample ? [] : JobStates.Table.States.Select(state =>
        new Measurement<long>(sample.Backlog.Jobs.GetValueOrDefault(state), new KeyValuePair<string, object?>(TelemetryTags.JobState, state.WireName())));

    private IEnumerable<Measurement<double>> MeasureWork(Func<IEnumerable<PendingWork>, double> read)
    {
        if (_sample is not { } sample)
        {
            return [];
        }

        var served = sample.Served.Select(model => model.Name).ToHashSet();
        var work = sample.Backlog.Work.ToLookup(one => (served.Contains(one.Model) ? ModelTag.Of(one.Model) : Unserved, one.State));
        return from model in served.Select(ModelTag.Of).Append(Unserved).Distinct()
               from state in (ChunkState[])[ChunkState.Open, ChunkState.Leased]
               select new Measurement<double>(read(work[(model, state)]), new(TelemetryTags.Model, model), new(TelemetryTags.ChunkState, state.WireName()));
    }

    private IEnumerable<Measurement<int>> MeasureModels(Func<ServedModel, int> read) => _sample is not { } sample ? [] : sample.Served
        .GroupBy(model => ModelTag.Of(model.Name))
        .Select(models => new Measurement<int>(models.Sum(read), new KeyValuePair<string, object?>(TelemetryTags.Model, models.Key)));

    private double Age(IEnumerable<PendingWork> work)
    {
        var now = _time.GetUtcNow();
        return work.Select(one => Math.Max(0, (now - one.OldestJobAt).TotalSeconds)).DefaultIfEmpty().Max();
    }

    private sealed record Sample(Backlog Backlog, IReadOnlyList<ServedModel> Served);
}
