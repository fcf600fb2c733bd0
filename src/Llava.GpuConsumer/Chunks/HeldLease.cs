using Llava.Ledger.Chunks;

namespace Llava.GpuConsumer.Chunks;

/// <summary>A lease while its chunk is in work.</summary>
internal sealed class HeldLease(ChunkLease lease) : IDisposable
{
    private readonly CancellationTokenSource _stopped = new();

    public ChunkLease Lease { get; } = lease;

    /// <summary>Ends when the lease was lost or its job stopped.</summary>
    public CancellationToken Stopped => _stopped.Token;

    public void Stop() => _stopped.Cancel();

    public void Dispose() => _stopped.Dispose();
}
