using System.Data.Common;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Ledger.Chunks;

namespace Llava.Ledger.Storage;

/// <summary>How the statements that claim return their columns, from a first one on.</summary>
internal static class ClaimColumns
{
    /// <summary>first_item, item_count, attempts, fence, published_at, claimed_at, the job's state and model.</summary>
    public static GrantedClaim Read(DbDataReader row, int first, ChunkClaim claim) => new(
        new(claim.Job, claim.ChunkNo, row.GetInt32(first), row.GetInt32(first + 1), row.GetInt32(first + 2), row.GetInt32(first + 3), claim.Owner, row.Time(first + 4), row.Time(first + 5)) { Model = row.Text(first + 7) },
        JobStates.Table.Parse(row.GetString(first + 6)));

    /// <summary>item_no, custom_id, images, prompt, category and chat.</summary>
    public static ClaimedItem ReadItem(DbDataReader row, int first) => new(
        row.GetInt32(first), row.GetString(first + 1), LedgerJson.ReadImages(row.GetString(first + 2)), row.Text(first + 3), row.Text(first + 4),
        row.Text(first + 5) is { } chat ? ItemChat.Read(chat) : null);
}
