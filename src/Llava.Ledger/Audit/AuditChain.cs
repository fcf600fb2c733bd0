using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Llava.Ledger.Storage;

namespace Llava.Ledger.Audit;

/// <summary>
/// Appends to the audit log: one call inside the write that does what the line tells of, so that there is neither without the other.
/// Each line's hash covers the line before's: whoever changes or removes one must change all that follow.
/// </summary>
internal static class AuditChain
{
    /// <summary>What stands before the first line.</summary>
    public static readonly string Start = new('0', 64);

    /// <summary>Appends a line by <see cref="Actor.Current"/>.</summary>
    /// <param name="session">The write's session. Appenders wait for each other until the commit: hold before this call whatever else the write holds.</param>
    /// <param name="at">When it happens, the same when the write is repeated.</param>
    /// <param name="action">One of <see cref="AuditActions"/>.</param>
    /// <param name="tenant">Whose thing it is done to.</param>
    /// <param name="target">To what.</param>
    /// <param name="details">More about it, without secrets and at most a few lines long; null where there is no more to say.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public static async Task AppendAsync(LedgerSession session, DateTimeOffset at, string action, string tenant, string target, JsonObject? details, CancellationToken cancellation)
    {
        await session.Statement("take_turn").Set("@turn", (int)LedgerTurn.Audit).ExecuteAsync(cancellation);
        var time = at.ToUnixTimeMilliseconds();
        if (session.IsRepeat && await IsThereAsync(session, time, action, target, cancellation))
        {
            return;
        }

        var (number, hash) = await session.Statement("last_audit").FirstAsync(row => (row.GetInt64(0), row.GetString(1)), cancellation) is { Item2: not null } last ? last : (0, Start);
        var actor = Actor.Current;
        AuditEntry entry = new()
        {
            Number = number + 1,
            At = DateTimeOffset.FromUnixTimeMilliseconds(time),
            Actor = actor.Name,
            Tenant = tenant,
            Action = action,
            Target = target,
            RequestId = actor.RequestId,
            Details = details?.ToJsonString(),
            Hash = "",
        };
        await session.Statement("insert_audit")
            .Set("@number", entry.Number)
            .Set("@at", time)
            .Set("@actor", entry.Actor)
            .Set("@tenant", tenant)
            .Set("@action", action)
            .Set("@target", target)
            .Set("@request", entry.RequestId)
            .Set("@details", entry.Details)
            .Set("@hash", HashOf(hash, entry))
            .ExecuteAsync(cancellation);
    }

    /// <summary>The hash of a line behind one with the hash <paramref name="before"/>. Lengths stand before texts, so that no two lines are spelled alike.</summary>
    public static string HashOf(string before, AuditEntry entry)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        string?[] fields =
        [
            before,
            entry.Number.ToString(CultureInfo.InvariantCulture),
            entry.At.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture),
            entry.Actor,
            entry.Tenant,
            entry.Action,
            entry.Target,
            entry.RequestId,
            entry.Details,
        ];
        Span<byte> length = stackalloc byte[sizeof(int)];
        foreach (var field in fields)
        {
            var bytes = field is null ? [] : Encoding.UTF8.GetBytes(field);
            BinaryPrimitives.WriteInt32BigEndian(length, field is null ? -1 : bytes.Length);
            hash.AppendData(length);
            hash.AppendData(bytes);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static async Task<bool> IsThereAsync(LedgerSession session, long at, string action, string target, CancellationToken cancellation) =>
        await session.Statement("find_audit")
            .Set("@at", at)
            .Set("@action", action)
            .Set("@target", target)
            .FirstAsync(row => row.GetInt64(0), cancellation) > 0;
}
