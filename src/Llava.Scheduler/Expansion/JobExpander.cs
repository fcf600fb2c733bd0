using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Ledger.Expansion;
using Llava.Ledger.Jobs;
using Llava.Scheduler.Sources;

namespace Llava.Scheduler.Expansion;

/// <summary>Reads one job's source into items and chunks, from wherever the ledger says it stands.</summary>
internal sealed class JobExpander(IJobSource sources, JobExpansion expansion, SchedulerOptions options)
{
    /// <summary>Code of an item that has no prompt, its own or the job's.</summary>
    public const string NoPrompt = "no_prompt";

    /// <summary>Expands the job to its end; returns early when it is no longer this one's to expand.</summary>
    public async Task ExpandAsync(JobRecord job, CancellationToken cancellation)
    {
        try
        {
            if (await AppendAllAsync(job, cancellation))
            {
                await expansion.FinishAsync(job.Id, cancellation);
            }
        }
        catch (JobException failure)
        {
            await expansion.FailAsync(job.Id, new(failure.Code, failure.Message), cancellation);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            await expansion.FailAsync(job.Id, new("source_unreadable", $"The source '{job.Request.Source.Path}' cannot be read: {failure.Message}"), cancellation);
        }
    }

    private async Task<bool> AppendAllAsync(JobRecord job, CancellationToken cancellation)
    {
        ChunkPlanner planner = new(job.Request);
        var taken = job.ItemCount;
        string? before = null;
        await foreach (var (item, position) in sources.ReadAsync(job.Request.Source, job.SourcePosition, cancellation))
        {
            // What is committed ends where the chunk before this item ended, and so must the position.
            if (planner.Add(WithPrompt(item, job.Request)) && planner.FullItems >= options.ExpansionBatch && !await AppendAsync(planner.TakeFull(), before!))
            {
                return false;
            }

            before = position;
        }

        return planner.TakeAll() is not { Count: > 0 } last || await AppendAsync(last, before!);

        async Task<bool> AppendAsync(List<ExpandedChunk> chunks, string position)
        {
            var first = taken;
            taken += chunks.Sum(chunk => chunk.Items.Count);
            return await expansion.AppendAsync(job.Id, first, chunks, position, cancellation);
        }
    }

    private static ExpandedItem WithPrompt(ExpandedItem item, JobRequest request) =>
        item.Rejection is not null || PromptTemplate.Compose(request.Prompt, item.Spec.Prompt) is not null
            ? item
            : item with { Rejection = new(NoPrompt, $"Item '{item.Spec.CustomId}' has no prompt, and the job's {(request.Prompt is null ? "is missing" : "needs one")}; give either.") };
}
