using System.Data.Common;
using Llava.Contracts;
using Llava.Contracts.States;
using Llava.Ledger.Storage;

namespace Llava.Ledger.Chunks;

/// <summary>A chunk whose owner lost it, or that used up its attempts.</summary>
internal sealed record SweptChunk(
    JobId Job, int ChunkNo, int FirstItem, int ItemCount, int Attempts, long Tokens, string? Owner, string? Error, int Fence, DateTimeOffset? ClaimedAt, long? LeaseUntil, string? Model)
{
    /// <summary>Whether its lease was ended because its owner's process is gone, see end_leases_of.sql.</summary>
    public bool IsOwnerDead => LeaseUntil == 0;

    /// <summary>Reads the columns that the lists of chunks select.</summary>
    public static SweptChunk Read(DbDataReader row) => new(
        new(row.GetInt64(0)), row.GetInt32(1), row.GetInt32(2), row.GetInt32(3), row.GetInt32(4), row.GetInt64(5), row.Text(6), row.Text(7),
        row.GetInt32(8), row.TimeOrNull(9), row.IsDBNull(10) ? null : row.GetInt64(10), row.Text(11));

    public long TokensOf(int items) => Tokens * items / ItemCount;

    /// <summary>The attempt that ends now.</summary>
    public ChunkAttempt Ended(AttemptEnding ending, DateTimeOffset now) =>
        new(Job, ChunkNo, Fence, ending, Attempts, FirstItem, ItemCount, Owner, ClaimedAt ?? now, now, null);

    /// <summary>The step after its last attempt.</summary>
    public ChunkAttempt Halved(DateTimeOffset now) => new(Job, ChunkNo, Fence, AttemptEnding.Halved, Attempts, FirstItem, ItemCount, null, now, now, Error);
}
