using System.Runtime.CompilerServices;
using Llava.Ledger.Jobs;
using Llava.Ledger.Schedules;
using Llava.Scheduler.Sources;

namespace Llava.Scheduler.Expansion;

/// <summary>Marks the records that are not new to the schedule which made a job, some hundreds with one question to the ledger.</summary>
/// <param name="memory">What the schedule's jobs were asked.</param>
/// <param name="job">The job, made by a schedule, whose source is read.</param>
/// <param name="prompts">Items that each record gives.</param>
internal sealed class NewRecords(ScheduleMemory memory, JobRecord job, int prompts)
{
    private const int Batch = 512;

    /// <summary>The same records in the same order; those that are known too, because reading may have to go on behind them.</summary>
    public async IAsyncEnumerable<MarkedRecord> MarkAsync(IAsyncEnumerable<SourceItem> records, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await foreach (var batch in records.Chunk(Batch).WithCancellation(cancellation))
        {
            var keyed = Array.ConvertAll(batch, record => (Record: record, Keys: RecordIdentity.KeysOf(record, job.Request.Source.Kind, prompts)));
            var known = await memory.KnownAsync(job.Id, [.. keyed.SelectMany(record => record.Keys)], cancellation);
            foreach (var (record, keys) in keyed)
            {
                yield return new(record, keys, Array.TrueForAll(keys, known.Contains));
            }
        }
    }
}

/// <summary>A record and whether it is known.</summary>
/// <param name="Record">The record.</param>
/// <param name="Keys">By what each of its items is known again; none where nobody asks.</param>
/// <param name="IsKnown">Whether all of its items have been dealt with.</param>
internal sealed record MarkedRecord(SourceItem Record, IReadOnlyList<long> Keys, bool IsKnown);
