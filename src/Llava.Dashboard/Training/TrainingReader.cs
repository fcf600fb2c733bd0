using Llava.Ledger.Training;

namespace Llava.Dashboard.Training;

/// <summary>Reads what pages of training runs show.</summary>
internal sealed class TrainingReader(TrainingRuns runs, TimeProvider time)
{
    private const int ShownEvents = 30;
    private const int ShownCheckpoints = 20;
    private const int LongestChain = 10;

    /// <summary>Runs on a page of the list.</summary>
    public const int PageSize = 50;

    /// <summary>Runs, the newest first.</summary>
    /// <param name="tenant">Only this one's; null for all.</param>
    /// <param name="after">Only those behind this id; null or empty for the first page.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public async Task<IReadOnlyList<TrainingView>> ListAsync(string? tenant, string? after, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        return [.. (await runs.ListAsync(tenant, string.IsNullOrEmpty(after) ? null : after, PageSize, cancellation)).Select(run => new TrainingView(run, now))];
    }

    /// <summary>One run with all that happened; null when there is none.</summary>
    public async Task<TrainingDetails?> FindAsync(string run, string? tenant, CancellationToken cancellation) => await runs.FindAsync(run, tenant, cancellation) is { } found
        ? new(
            new(found, time.GetUtcNow()),
            await runs.MetricsAsync(run, cancellation),
            await runs.EventsAsync(run, null, ShownEvents, cancellation),
            await runs.CheckpointsAsync(run, null, ShownCheckpoints, cancellation),
            await ChainAsync(found, cancellation))
        : null;

    /// <summary>The runs that a run comes after, itself, and those that come after it; empty for one that stands alone.</summary>
    private async Task<IReadOnlyList<TrainingView>> ChainAsync(TrainingRunRecord run, CancellationToken cancellation)
    {
        List<TrainingRunRecord> chain = [run];
        while (chain.Count < LongestChain && chain[0].Request.After is { } after && await runs.FindAsync(after, run.Request.Tenant, cancellation) is { } previous)
        {
            chain.Insert(0, previous);
        }

        chain.AddRange(await runs.ListFollowersAsync(run.Id, cancellation));
        var now = time.GetUtcNow();
        return chain.Count == 1 ? [] : [.. chain.Select(one => new TrainingView(one, now))];
    }
}

/// <summary>One run and all that happened.</summary>
internal sealed record TrainingDetails(
    TrainingView View, IReadOnlyList<TrainingMetric> Metrics, IReadOnlyList<TrainingEvent> Events, IReadOnlyList<TrainingCheckpointRecord> Checkpoints, IReadOnlyList<TrainingView> Chain)
{
    /// <summary>How long its steps waited for more urgent work.</summary>
    public TimeSpan Waited => TimeSpan.FromSeconds(Metrics.Sum(metric => metric.Waited.TotalSeconds));
}
