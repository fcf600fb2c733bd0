using System.Text.Json.Nodes;
using Llava.Ledger.Storage;

namespace Llava.Ledger.Audit;

/// <summary>Who did what when: lines that are only ever added. Those who change something in the ledger add theirs in the same transaction.</summary>
public sealed class AuditLog
{
    private const int CheckedTogether = 1000;

    private readonly LedgerDatabase _database;
    private readonly TimeProvider _time;

    internal AuditLog(LedgerDatabase database, TimeProvider time)
    {
        _database = database;
        _time = time;
    }

    /// <summary>Adds a line by <see cref="Actor.Current"/> about something outside the ledger; write it before it is done.</summary>
    /// <param name="action">One of <see cref="AuditActions"/>.</param>
    /// <param name="tenant">Whose thing it is done to.</param>
    /// <param name="target">To what.</param>
    /// <param name="details">More about it, without secrets.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public Task AppendAsync(string action, string tenant, string target, JsonObject? details = null, CancellationToken cancellation = default)
    {
        var now = _time.GetUtcNow();
        return _database.WriteAsync(async (session, token) =>
        {
            await AuditChain.AppendAsync(session, now, action, tenant, target, details, token);
            return true;
        }, cancellation);
    }

    /// <summary>Lines, the newest first.</summary>
    public Task<List<AuditEntry>> ListAsync(AuditFilter filter, CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => session.Statement("list_audit")
            .Set("@actor", filter.Actor)
            .Set("@action", filter.Action)
            .Set("@target", filter.Target)
            .Set("@tenant", filter.Tenant)
            .Set("@before", filter.Before)
            .Set("@limit", filter.Limit)
            .ListAsync(AuditEntry.Read, token), cancellation);

    /// <summary>Reads the whole chain and checks it, up to the first line that does not hold.</summary>
    /// <param name="head">A head that was noted earlier, to be found on the way; null where none was.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task<AuditVerdict> VerifyAsync(string? head = null, CancellationToken cancellation = default)
    {
        var (count, hash, isHeadSeen) = (0L, AuditChain.Start, head is null);
        while (true)
        {
            var page = await _database.ReadAsync((session, token) => session.Statement("read_audit").Set("@after", count).Set("@limit", CheckedTogether).ListAsync(AuditEntry.Read, token), cancellation);
            foreach (var entry in page)
            {
                if (WhatIsWrong(entry, count + 1, hash) is { } fault)
                {
                    return new(count, hash, fault);
                }

                (count, hash) = (entry.Number, entry.Hash);
                isHeadSeen |= hash == head;
            }

            if (page.Count < CheckedTogether)
            {
                return new(count, hash, isHeadSeen ? null : $"No line has the hash '{head}' that was noted earlier: lines after it or up to it were removed and what follows was written anew.");
            }
        }
    }

    private static string? WhatIsWrong(AuditEntry entry, long number, string before) =>
        entry.Number != number ? $"Line {number} is missing: the next one is {entry.Number}."
        : AuditChain.HashOf(before, entry) != entry.Hash ? $"Line {number} is not what was written: its hash does not fit."
        : null;
}
