using Llava.Ledger.Chunks;

namespace Llava.GpuConsumer.Chunks;

/// <summary>A lease while its chunk is in work.</summary>
internal sealed class HeldLease(ClaimedChunk chunk) : IDisposable
{
    private readonly CancellationTokenSource _stopped = new();

    public ChunkLease Lease { get; } = chunk.Lease;

    /// <summary>What the claim left to do; null once it was tried, because some may have a result since.</summary>
    public IReadOnlyList<ClaimedItem>? Untried { get; set; } = chunk.Items;

    /// <summary>Ends when the lease was lost or its job stopped.</summary>
    public CancellationToken Stopped => _stopped.Token;

    public void Stop() => _stopped.Cancel();

    public void Dispose() => _stopped.Dispose();
}
