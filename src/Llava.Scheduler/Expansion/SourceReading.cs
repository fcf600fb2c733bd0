using Llava.Contracts.Requests;
using Llava.Ledger;
using Llava.Ledger.Expansion;
using Llava.Ledger.Jobs;

namespace Llava.Scheduler.Expansion;

/// <summary>A source that is read into a job, where the ledger says it stands, and what moves it on there.</summary>
internal abstract class SourceReading(JobRecord job)
{
    /// <summary>The job.</summary>
    public JobRecord Job => job;

    /// <summary>The job's request, with the source that is read.</summary>
    public virtual JobRequest Request => job.Request;

    /// <summary>Number of the part; 0 for the job's own source.</summary>
    public virtual int Part => 0;

    /// <summary>Items of the job that came with earlier sources.</summary>
    public virtual int Earlier => 0;

    /// <summary>Items taken in from this source.</summary>
    public int Taken => job.ItemCount - Earlier;

    /// <summary>Where the reader goes on; null at the front.</summary>
    public abstract string? Position { get; }

    /// <summary>Adds chunks and moves the position; false when the source is no longer this one's to read.</summary>
    public abstract Task<bool> AppendAsync(int firstItem, IReadOnlyList<ExpandedChunk> chunks, string position, CancellationToken cancellation);

    /// <summary>All of it is read.</summary>
    public abstract Task FinishAsync(CancellationToken cancellation);

    /// <summary>It cannot be read.</summary>
    public abstract Task FailAsync(Failure failure, IReadOnlyList<SourceFinding> findings, CancellationToken cancellation);
}

/// <summary>The job's own source: the job fails with it.</summary>
internal sealed class OwnReading(JobRecord job, JobExpansion expansion) : SourceReading(job)
{
    public override string? Position => Job.SourcePosition;

    public override Task<bool> AppendAsync(int firstItem, IReadOnlyList<ExpandedChunk> chunks, string position, CancellationToken cancellation) =>
        expansion.AppendAsync(Job.Id, firstItem, chunks, position, cancellation);

    public override Task FinishAsync(CancellationToken cancellation) => expansion.FinishAsync(Job.Id, cancellation);

    public override Task FailAsync(Failure failure, IReadOnlyList<SourceFinding> findings, CancellationToken cancellation) => expansion.FailAsync(Job.Id, failure, findings, cancellation);
}

/// <summary>A part: the job goes on when it fails.</summary>
internal sealed class PartReading(WaitingPart waiting, PartExpansion expansion) : SourceReading(waiting.Job)
{
    public override JobRequest Request { get; } = waiting.Job.Request with { Source = waiting.Part.Source };

    public override int Part => waiting.Part.Number;

    public override int Earlier => waiting.Part.FirstItem ?? Job.ItemCount;

    public override string? Position => waiting.Part.Position;

    public override Task<bool> AppendAsync(int firstItem, IReadOnlyList<ExpandedChunk> chunks, string position, CancellationToken cancellation) =>
        expansion.AppendAsync(Job.Id, Part, firstItem, chunks, position, cancellation);

    public override Task FinishAsync(CancellationToken cancellation) => expansion.FinishAsync(Job.Id, Part, cancellation);

    public override Task FailAsync(Failure failure, IReadOnlyList<SourceFinding> findings, CancellationToken cancellation) => expansion.FailAsync(Job.Id, Part, failure, cancellation);
}
