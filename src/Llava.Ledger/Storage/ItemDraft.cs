namespace Llava.Ledger.Storage;

/// <summary>A row of the items table about to be written.</summary>
internal readonly record struct ItemDraft(long JobId, int ItemNo, string CustomId, string Images, string? Prompt, string? Category, string? Model, string? Chat);
