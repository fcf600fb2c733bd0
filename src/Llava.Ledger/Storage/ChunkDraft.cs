using Llava.Contracts.States;

namespace Llava.Ledger.Storage;

/// <summary>A row of the chunks table about to be written.</summary>
internal readonly record struct ChunkDraft(long JobId, int ChunkNo, int FirstItem, int ItemCount, long Tokens, ChunkState State, int Attempts, string? Model = null);
