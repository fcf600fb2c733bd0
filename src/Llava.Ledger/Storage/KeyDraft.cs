namespace Llava.Ledger.Storage;

/// <summary>A row of the schedule_items table about to be written.</summary>
internal readonly record struct KeyDraft(long Schedule, long Key, long JobId, int ItemNo);
