using Llava.Contracts;
using Llava.Ledger;
using Llava.Ledger.Expansion;
using Llava.Ledger.Jobs;
using Llava.Scheduler.Sources;

namespace Llava.Scheduler.Expansion;

/// <summary>Reads one job's source into items and chunks, from wherever the ledger says it stands.</summary>
internal sealed class JobExpander(IJobSource sources, JobExpansion expansion, SchedulerOptions options)
{
    /// <summary>Expands the job to its end; returns early when it is no longer this one's to expand.</summary>
    public async Task ExpandAsync(JobRecord job, CancellationToken cancellation)
    {
        await using Batches batches = new(expansion, job, cancellation);
        try
        {
            if (await ReadAsync(job, batches, cancellation) && await batches.EndAsync())
            {
                await expansion.FinishAsync(job.Id, cancellation);
            }
        }
        catch (JobException failure)
        {
            await FailAsync(new(failure.Code, failure.Message));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            await FailAsync(new("source_unreadable", $"The source '{job.Request.Source.Path}' cannot be read: {failure.Message}"));
        }

        async Task FailAsync(Failure reason)
        {
            await batches.EndAsync();
            await expansion.FailAsync(job.Id, reason, cancellation);
        }
    }

    /// <returns>False when the job is no longer this one's to expand.</returns>
    private async Task<bool> ReadAsync(JobRecord job, Batches batches, CancellationToken cancellation)
    {
        var request = job.Request;
        if (request.Strict && job.ItemCount == 0)
        {
            await StrictValidation.RequireAsync(request, sources, cancellation);
        }

        JobItems items = new(request);
        await RememberAsync(items, job, cancellation);
        ChunkPlanner planner = new(request);
        // A chunk may end between two prompts on one image: the record is read again, and what is there already is left out.
        var there = job.ItemCount % items.PerRecord;
        var before = job.SourcePosition ?? "";
        await foreach (var record in sources.ReadAsync(request, before.Length > 0 ? before : null, cancellation))
        {
            foreach (var item in items.Of(record).Skip(there))
            {
                // What is committed ends where the chunk before this item ended, and so must the position.
                if (planner.Add(item) && planner.FullItems >= options.ExpansionBatch && !await batches.AddAsync(planner.TakeFull(), before))
                {
                    return false;
                }
            }

            there = 0;
            before = record.Position;
        }

        return planner.TakeAll() is not { Count: > 0 } last || await batches.AddAsync(last, before);
    }

    /// <summary>After an interruption, the records taken in before it are read again for their names.</summary>
    private async Task RememberAsync(JobItems items, JobRecord job, CancellationToken cancellation)
    {
        var records = items.NeedsMemory ? job.ItemCount / items.PerRecord : 0;
        if (records == 0)
        {
            return;
        }

        await foreach (var record in sources.ReadAsync(job.Request, null, cancellation))
        {
            items.Remember(record);
            if (--records == 0)
            {
                return;
            }
        }
    }

    /// <summary>Commits one batch while the next is read.</summary>
    private sealed class Batches(JobExpansion expansion, JobRecord job, CancellationToken cancellation) : IAsyncDisposable
    {
        private int _items = job.ItemCount;
        private Task<bool> _last = Task.FromResult(true);

        /// <summary>Begins to commit a batch once the one before it is through.</summary>
        /// <returns>False when the job is no longer this one's to expand.</returns>
        public async Task<bool> AddAsync(List<ExpandedChunk> chunks, string position)
        {
            if (!await _last)
            {
                return false;
            }

            var first = _items;
            _items += chunks.Sum(chunk => chunk.Items.Count);
            _last = Task.Run(() => expansion.AppendAsync(job.Id, first, chunks, position, cancellation), cancellation);
            return true;
        }

        /// <summary>Waits for the last commit.</summary>
        /// <returns>False when the job is no longer this one's to expand.</returns>
        public Task<bool> EndAsync() => _last;

        /// <summary>Waits for the last commit, whatever became of it: whoever goes on with the job must find it done or not.</summary>
        public async ValueTask DisposeAsync() => await _last.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }
}
