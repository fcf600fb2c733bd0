using Llava.Contracts.States;
using Llava.Dashboard.Api;
using Llava.Ledger.Batches;
using Llava.Ledger.Jobs;

namespace Llava.Dashboard.OpenAi.Batches;

/// <summary>Batches as they are told of.</summary>
internal sealed class BatchViews(BatchStore store, JobReader jobs)
{
    /// <summary>The caller's batch; another tenant's is as if it were not there.</summary>
    /// <exception cref="OpenAiException">There is no such batch.</exception>
    public async Task<BatchRecord> FindAsync(Caller caller, string id, CancellationToken cancellation) =>
        await store.FindAsync(id, caller.Confinement, cancellation)
        ?? throw OpenAiException.NotFound("batch_not_found", $"There is no batch '{id}'; list batches to see those there are.", "batch_id");

    /// <summary>The job that does the batch's work.</summary>
    public Task<JobRecord> JobAsync(BatchRecord batch, CancellationToken cancellation) => jobs.ReadAsync(batch.Job, cancellation);

    /// <summary>The batch as it is now.</summary>
    public async Task<BatchObject> DescribeAsync(BatchRecord batch, CancellationToken cancellation)
    {
        var job = await JobAsync(batch, cancellation);
        var progress = job.FinalProgress ?? await jobs.ProgressAsync(job.Id, cancellation);
        return BatchObject.Of(batch, job, progress, batch.StatusOf(job).IsFinal() ? null : await QueueAsync(job, progress, cancellation));
    }

    private async Task<BatchQueue> QueueAsync(JobRecord job, JobProgress progress, CancellationToken cancellation) => new(
        job.State == JobState.Running ? 0 : await store.AheadAsync(job, cancellation),
        progress.Remaining is { } left ? (int)Math.Min(Math.Ceiling(left.TotalSeconds), int.MaxValue) : null);
}
