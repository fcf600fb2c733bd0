using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Hosting.Paths;
using Llava.Ledger;
using Llava.Ledger.Expansion;
using Llava.Ledger.Jobs;
using Llava.Ledger.Schedules;
using Llava.Scheduler.Sources;

namespace Llava.Scheduler.Expansion;

/// <summary>Reads a job's own source, or that of a part, into items and chunks, from wherever the ledger says it stands.</summary>
internal sealed class JobExpander(IJobSource sources, JobExpansion expansion, PartExpansion parts, ScheduleMemory memory, AllowedRoots roots, SchedulerOptions options)
{
    /// <summary>Expands the job's own source to its end; returns early when it is no longer this one's to expand.</summary>
    public Task ExpandAsync(JobRecord job, CancellationToken cancellation) => ExpandAsync(new OwnReading(job, expansion), cancellation);

    /// <summary>Expands a part to its end; returns early when it is no longer this one's to expand.</summary>
    public Task ExpandAsync(WaitingPart part, CancellationToken cancellation) => ExpandAsync(new PartReading(part, parts), cancellation);

    private async Task ExpandAsync(SourceReading reading, CancellationToken cancellation)
    {
        await using Batches batches = new(reading, cancellation);
        try
        {
            if (await ReadAsync(reading, batches, cancellation) && await batches.EndAsync())
            {
                await reading.FinishAsync(cancellation);
            }
        }
        catch (JobException failure)
        {
            await FailAsync(new(failure.Code, failure.Message), (failure as SourceException)?.Findings ?? []);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            await FailAsync(new("source_unreadable", $"The source '{reading.Request.Source.Path}' cannot be read: {failure.Message}"), []);
        }

        async Task FailAsync(Failure reason, IReadOnlyList<SourceFinding> findings)
        {
            await batches.EndAsync();
            await reading.FailAsync(reason, findings, cancellation);
        }
    }

    /// <returns>False when the source is no longer this one's to expand.</returns>
    private async Task<bool> ReadAsync(SourceReading reading, Batches batches, CancellationToken cancellation)
    {
        var (job, request) = (reading.Job, reading.Request);
        var origin = await memory.OriginAsync(job.Id, cancellation);
        if (origin is not null && options.TrustSchedules)
        {
            roots.Allow(request.Source.Folders());
        }

        JobItems items = new(request, reading.Part);
        await RememberEarlierAsync(items, reading, cancellation);
        if (request.Strict && reading.Taken == 0)
        {
            await StrictValidation.RequireAsync(request, items, sources, cancellation);
        }

        await RememberAsync(items, reading, cancellation);
        ChunkPlanner planner = new(request);
        // A chunk may end between two prompts on one image: the record is read again, and what is there already is left out.
        var there = reading.Taken % items.PerRecord;
        var before = reading.Position ?? "";
        var records = sources.ReadAsync(request, before.Length > 0 ? before : null, cancellation);
        await foreach (var (record, keys, isKnown) in origin is { OnlyNew: true } ? new NewRecords(memory, job, items.PerRecord).MarkAsync(records, cancellation) : AllNew(records))
        {
            foreach (var item in isKnown ? [] : Keyed(items.Of(record), keys).Skip(there))
            {
                // What is committed ends where the chunk before this item ended, and so must the position.
                if (planner.Add(item) && planner.FullItems >= options.ExpansionBatch && !await batches.AddAsync(planner.TakeFull(), before))
                {
                    return false;
                }
            }

            there = isKnown ? there : 0;
            before = record.Position;
        }

        return planner.TakeAll() is not { Count: > 0 } last || await batches.AddAsync(last, before);
    }

    private static IAsyncEnumerable<MarkedRecord> AllNew(IAsyncEnumerable<SourceItem> records) => records.Select(record => new MarkedRecord(record, [], false));

    private static IEnumerable<ExpandedItem> Keyed(IEnumerable<ExpandedItem> items, IReadOnlyList<long> keys) =>
        keys.Count == 0 ? items : items.Zip(keys, (item, key) => item with { Key = key });

    /// <summary>A part's names must differ from those of all sources before it, which the ledger has.</summary>
    private async Task RememberEarlierAsync(JobItems items, SourceReading reading, CancellationToken cancellation)
    {
        if (!items.ChecksNames || reading.Part == 0)
        {
            return;
        }

        await foreach (var name in parts.NamesAsync(reading.Job.Id, reading.Earlier, cancellation))
        {
            items.Remember(name);
        }
    }

    /// <summary>After an interruption, the records read before it are read again for their names.</summary>
    private async Task RememberAsync(JobItems items, SourceReading reading, CancellationToken cancellation)
    {
        if (!items.ChecksNames || string.IsNullOrEmpty(reading.Position))
        {
            return;
        }

        await foreach (var record in sources.ReadAsync(reading.Request, null, cancellation))
        {
            items.Remember(record);
            if (record.Position == reading.Position)
            {
                return;
            }
        }
    }

    /// <summary>Commits one batch while the next is read.</summary>
    private sealed class Batches(SourceReading reading, CancellationToken cancellation) : IAsyncDisposable
    {
        private int _items = reading.Job.ItemCount;
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
            _last = Task.Run(() => reading.AppendAsync(first, chunks, position, cancellation), cancellation);
            return true;
        }

        /// <summary>Waits for the last commit.</summary>
        /// <returns>False when the job is no longer this one's to expand.</returns>
        public Task<bool> EndAsync() => _last;

        /// <summary>Waits for the last commit, whatever became of it: whoever goes on with the job must find it done or not.</summary>
        public async ValueTask DisposeAsync() => await _last.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }
}
