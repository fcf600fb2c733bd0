using Llava.Ledger.Results;

namespace Llava.Ledger.Storage;

/// <summary>A row of the results table about to be written.</summary>
internal readonly record struct ResultDraft(long JobId, FinishedItem Item, string? Worker, string? ModelRevision, int Attempts, long FinishedAt);
