using Llava.Ledger.Chunks;

namespace Llava.GpuConsumer.Chunks;

/// <summary>A lease while its chunk is in work, or rests between two tries.</summary>
internal sealed class HeldLease : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private int _inWork = 1;
    private long _restsSince;

    /// <param name="chunk">What was claimed; whoever claimed it is at work on it.</param>
    /// <param name="claimed">When, as a time stamp of the caller's clock.</param>
    public HeldLease(ClaimedChunk chunk, long claimed)
    {
        Lease = chunk.Lease;
        Claimed = claimed;
        Untried = chunk.Items;
        Stopped = _stop.Token;
    }

    public ChunkLease Lease { get; }

    /// <summary>When it was claimed, as a time stamp of this process's clock.</summary>
    public long Claimed { get; }

    /// <summary>Whether its items go before those of other chunks.</summary>
    public bool Express { get; init; }

    /// <summary>What the claim left to do; null once it was tried, because some may have a result since.</summary>
    public IReadOnlyList<ClaimedItem>? Untried { get; set; }

    /// <summary>Ends when the lease was lost or its job stopped.</summary>
    public CancellationToken Stopped { get; }

    public void Stop() => _stop.Cancel();

    /// <summary>Leaves the work to another try.</summary>
    /// <param name="now">A time stamp of the caller's clock.</param>
    public void Rest(long now)
    {
        _restsSince = now;
        Volatile.Write(ref _inWork, 0);
    }

    /// <summary>When the work was last left to another try; null while someone is at it.</summary>
    public long? RestsSince => Volatile.Read(ref _inWork) == 0 ? _restsSince : null;

    /// <summary>Takes the work up again; false when someone is at it, as with a message that came twice.</summary>
    public bool TryResume() => Interlocked.Exchange(ref _inWork, 1) == 0;

    public void Dispose() => _stop.Dispose();
}
