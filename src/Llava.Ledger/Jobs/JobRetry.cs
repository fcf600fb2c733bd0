using System.Text.Json;
using Llava.Contracts;
using Llava.Contracts.States;
using Llava.Ledger.Storage;

namespace Llava.Ledger.Jobs;

/// <summary>Which items to try again. Answered ones never are, nor those that were refused when the source was read.</summary>
public sealed record RetryFilter
{
    /// <summary>Outcomes to try again. Default only <see cref="ItemOutcome.Failed"/>.</summary>
    public IReadOnlyCollection<ItemOutcome> Outcomes { get; init; } = [ItemOutcome.Failed];

    /// <summary>Of those that failed, only these causes; empty for all. Default all.</summary>
    public IReadOnlyCollection<string> Codes { get; init; } = [];

    internal bool Takes(ItemOutcome outcome, string? code) =>
        Outcomes.Contains(outcome) && (outcome != ItemOutcome.Failed || Codes.Count == 0 || Codes.Contains(code));
}

/// <summary>The answer to a retry.</summary>
/// <param name="State">The state the job is in now.</param>
/// <param name="Items">Items that are tried again.</param>
public sealed record RetriedJob(JobState State, int Items);

/// <summary>
/// Takes results back and opens their chunks. A consumer that holds one of them has lost it, so nothing it still writes can bring a result
/// back; the other items of the chunk keep theirs.
/// </summary>
internal sealed class JobRetry(LedgerDatabase database, TimeProvider time)
{
    /// <summary>Runs inside a write that is at the sweep's turn, because both give chunks numbers.</summary>
    public async Task<RetriedJob> RunAsync(LedgerSession session, JobRecord job, RetryFilter filter, CancellationToken cancellation)
    {
        if (job.ExpandedAt is null || job.State is JobState.Failed or JobState.Finalizing or JobState.Cancelling)
        {
            throw new RetryRefusedException(job.Id, job.State);
        }

        var items = await ListAsync(session, job.Id, filter, cancellation);
        if (items.Count == 0)
        {
            return new(job.State, 0);
        }

        await OpenChunksAsync(session, job, items, cancellation);
        await session.Statement("delete_results_of_items").Set("@job", job.Id.Value).Set("@items", JsonSerializer.Serialize(items.Select(item => item.ItemNo))).ExecuteAsync(cancellation);
        return new(await ReopenAsync(session, job, cancellation), items.Count);
    }

    private static async Task<List<RetriedItem>> ListAsync(LedgerSession session, JobId job, RetryFilter filter, CancellationToken cancellation)
    {
        var results = await session.Statement("list_retriable_items").Set("@job", job.Value).ListAsync(
            row => (Item: new RetriedItem(row.GetInt32(0), row.Text(3)), Taken: filter.Takes(ItemOutcomes.Table.Parse(row.GetString(1)), row.Text(2))), cancellation);
        return [.. results.Where(result => result.Taken).Select(result => result.Item)];
    }

    /// <summary>Before the results go: whoever commits to a chunk holds it first and writes results then, and the other way round would be a deadlock.</summary>
    private async Task OpenChunksAsync(LedgerSession session, JobRecord job, List<RetriedItem> items, CancellationToken cancellation)
    {
        var ranges = await session.Statement("list_chunk_ranges").Set("@job", job.Id.Value)
            .ListAsync(row => new ChunkRange(row.GetInt32(0), row.GetInt32(1), row.GetInt32(2)), cancellation);
        var plan = RetryPlan.Of(items, ranges, job.Request.ChunkItems);
        await session.Statement("retry_chunks").Set("@job", job.Id.Value).Set("@chunks", JsonSerializer.Serialize(plan.Reopened)).ExecuteAsync(cancellation);
        if (plan.New.Count > 0)
        {
            var next = ranges.Max(range => range.ChunkNo) + 1;
            var tokens = job.Request.Generation.MaxNewTokens;
            await database.InsertChunksAsync(
                session,
                [.. plan.New.Select((run, index) => new ChunkDraft(job.Id.Value, next + index, run.First, run.Count, (long)tokens * run.Count, ChunkState.Open, 0, run.Model))],
                cancellation);
        }
    }

    /// <summary>A job that was over is queued, has its whole window again, and will be over once more.</summary>
    private async Task<JobState> ReopenAsync(LedgerSession session, JobRecord job, CancellationToken cancellation)
    {
        if (!job.State.IsFinal())
        {
            return job.State;
        }

        var now = time.GetUtcNow();
        await JobTransitions.MoveAsync(session, job.Id, job.State, JobState.Queued, now, null, cancellation);
        await session.Statement("forget_end")
            .Set("@job", job.Id.Value)
            .Set("@expires", (now + job.Request.CompletionWindow)?.ToUnixTimeMilliseconds())
            .ExecuteAsync(cancellation);
        await session.Statement("unpublish_batch_of_job").Set("@job", job.Id.Value).ExecuteAsync(cancellation);
        return JobState.Queued;
    }
}
