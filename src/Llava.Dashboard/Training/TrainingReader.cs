using Llava.Ledger.Training;

namespace Llava.Dashboard.Training;

/// <summary>Reads what pages of training runs show.</summary>
internal sealed class TrainingReader(TrainingRuns runs, TimeProvider time)
{
    private const int ShownEvents = 30;
    private const int ShownCheckpoints = 20;

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
            await runs.CheckpointsAsync(run, null, ShownCheckpoints, cancellation))
        : null;
}

/// <summary>One run and all that happened.</summary>
internal sealed record TrainingDetails(
    TrainingView View, IReadOnlyList<TrainingMetric> Metrics, IReadOnlyList<TrainingEvent> Events, IReadOnlyList<TrainingCheckpointRecord> Checkpoints);
