using Llava.Contracts;
using Llava.Ledger.Chunks;

namespace Llava.Scheduler.Dispatch;

/// <summary>
/// Whose chunk goes next: the highest priority; within it the tenant with the fewest predicted tokens outstanding; of that
/// tenant the job with the fewest; among equals the one served longest ago. Shares even out because what is handed out
/// counts until it is done.
/// </summary>
internal sealed class FairShare
{
    private readonly Dictionary<JobId, long> _servedAt = [];
    private long _served;

    /// <summary>The jobs of one round, with what each has outstanding.</summary>
    public IReadOnlyList<Share> Begin(IEnumerable<DispatchableJob> jobs)
    {
        List<Share> shares = [.. jobs.Select(job => new Share(job))];
        foreach (var gone in _servedAt.Keys.Except(shares.Select(share => share.Job.Id)).ToList())
        {
            _servedAt.Remove(gone);
        }

        return shares;
    }

    /// <summary>The job to serve next among those that still have something to hand out, or null.</summary>
    /// <param name="shares">All jobs.</param>
    /// <param name="hasRoom">Whether there is room for the job's next chunk.</param>
    public Share? Next(IReadOnlyList<Share> shares, Func<Share, bool> hasRoom)
    {
        var waiting = shares.Where(share => share.FirstWaiting is not null && hasRoom(share)).ToList();
        if (waiting.Count == 0)
        {
            return null;
        }

        var first = waiting.Max(share => share.Job.Priority);
        return waiting.Where(share => share.Job.Priority == first)
            .OrderBy(share => shares.Where(other => other.Job.Tenant == share.Job.Tenant).Sum(other => other.OutstandingTokens))
            .ThenBy(share => share.OutstandingTokens)
            .ThenBy(share => _servedAt.GetValueOrDefault(share.Job.Id))
            .ThenBy(share => share.Job.Id)
            .First();
    }

    /// <summary>Notes that a chunk of the job goes out.</summary>
    public void Serve(Share share, WaitingChunk chunk)
    {
        share.OutstandingTokens += chunk.Tokens;
        _servedAt[share.Job.Id] = ++_served;
    }
}

/// <summary>A job's part in one round.</summary>
internal sealed class Share(DispatchableJob job)
{
    public DispatchableJob Job { get; } = job;

    /// <summary>Predicted tokens handed out and not done.</summary>
    public long OutstandingTokens { get; set; } = job.OutstandingTokens;

    /// <summary>Its first chunks that may go out; null until they were asked for.</summary>
    public Queue<WaitingChunk>? Waiting { get; set; }

    /// <summary>Number of the next chunk that may go out; null when there is none.</summary>
    public int? FirstWaiting => Waiting is null ? Job.FirstWaiting : Waiting.TryPeek(out var chunk) ? chunk.ChunkNo : null;
}
