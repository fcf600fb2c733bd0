using Llava.Ledger.Chunks;
using Llava.Ledger.Results;

namespace Llava.Ledger.Storage;

/// <summary>A row of the results table about to be written.</summary>
/// <param name="JobId">The job.</param>
/// <param name="Item">What became of the item.</param>
/// <param name="Lease">The lease under which it was worked on; null where none was.</param>
/// <param name="Attempts">Attempts its chunk took.</param>
/// <param name="FinishedAt">Now.</param>
/// <param name="ModelRevision">Revision of the model that answered.</param>
internal readonly record struct ResultDraft(long JobId, FinishedItem Item, ChunkLease? Lease, int Attempts, long FinishedAt, string? ModelRevision = null);
