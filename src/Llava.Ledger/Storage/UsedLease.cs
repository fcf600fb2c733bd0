using Llava.Ledger.Chunks;

namespace Llava.Ledger.Storage;

/// <summary>A lease under which results are recorded.</summary>
/// <param name="Lease">The lease.</param>
/// <param name="CompletesChunk">Whether the chunk is done with it.</param>
internal readonly record struct UsedLease(ChunkLease Lease, bool CompletesChunk);
