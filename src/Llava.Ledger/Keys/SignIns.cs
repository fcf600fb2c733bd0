using System.Text.Json.Nodes;
using Llava.Ledger.Audit;
using Llava.Ledger.Storage;

namespace Llava.Ledger.Keys;

/// <summary>
/// Who is signed in on the pages. A cookie carries the id of a sign-in, and the ledger says whether it still holds: a copy of the cookie
/// dies with a sign-out, and all of a key's sign-ins with the key.
/// </summary>
public sealed class SignIns
{
    private static readonly TimeSpan KeptAfterwards = TimeSpan.FromDays(1);

    private readonly LedgerDatabase _database;
    private readonly TimeProvider _time;

    internal SignIns(LedgerDatabase database, TimeProvider time)
    {
        _database = database;
        _time = time;
    }

    /// <summary>Signs somebody in.</summary>
    /// <param name="key">The key that was shown; null for whoever opened the one-time link.</param>
    /// <param name="tenant">Whose things the pages show.</param>
    /// <param name="lifetime">How long it holds at most.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    /// <returns>The sign-in's id, new and hard to guess.</returns>
    public async Task<string> BeginAsync(ApiKey? key, string tenant, TimeSpan lifetime, CancellationToken cancellation = default)
    {
        var now = _time.GetUtcNow();
        var id = Guid.NewGuid().ToString("N");
        var who = key is null ? "link" : $"key:{key.Id}";
        (Actor.Current with { Name = who }).Act();
        await _database.WriteAsync(async (session, token) =>
        {
            await session.Statement("delete_old_sign_ins").Set("@before", (now - KeptAfterwards).ToUnixTimeMilliseconds()).ExecuteAsync(token);
            await session.Statement("insert_sign_in")
                .Set("@id", id)
                .Set("@key", key?.Id)
                .Set("@now", now.ToUnixTimeMilliseconds())
                .Set("@expires", (now + lifetime).ToUnixTimeMilliseconds())
                .ExecuteAsync(token);
            JsonObject? details = key is null ? null : new() { ["name"] = key.Name, ["role"] = key.Role.WireName() };
            await AuditChain.AppendAsync(session, now, AuditActions.SignedIn, tenant, who, details, token);
            return true;
        }, cancellation);
        return id;
    }

    /// <summary>Whether the sign-in holds: it is known, not over, and its key opens.</summary>
    public Task<bool> HoldsAsync(string id, CancellationToken cancellation = default)
    {
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        return _database.ReadAsync(async (session, token) =>
            await session.Statement("find_sign_in").Set("@id", id).Set("@now", now).FirstAsync(row => row.GetInt64(0), token) > 0, cancellation);
    }

    /// <summary>Ids of all sign-ins that hold, for whoever has many to ask about.</summary>
    public Task<HashSet<string>> HoldingAsync(CancellationToken cancellation = default)
    {
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        return _database.ReadAsync(async (session, token) => (await session.Statement("list_held_sign_ins").Set("@now", now).ListAsync(row => row.GetString(0), token)).ToHashSet(StringComparer.Ordinal), cancellation);
    }

    /// <summary>Signs out. Ending what is over changes nothing.</summary>
    /// <param name="id">The sign-in.</param>
    /// <param name="tenant">Whose things its pages showed.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public Task EndAsync(string id, string tenant, CancellationToken cancellation = default)
    {
        var now = _time.GetUtcNow();
        return _database.WriteAsync(async (session, token) =>
        {
            if (await session.Statement("end_sign_in").Set("@id", id).Set("@now", now.ToUnixTimeMilliseconds()).ExecuteAsync(token) > 0)
            {
                await AuditChain.AppendAsync(session, now, AuditActions.SignedOut, tenant, Actor.Current.Name, null, token);
            }

            return true;
        }, cancellation);
    }
}
