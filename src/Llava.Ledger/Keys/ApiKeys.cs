using System.Data.Common;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Llava.Ledger.Audit;
using Llava.Ledger.Storage;
using Microsoft.Extensions.Logging;

namespace Llava.Ledger.Keys;

/// <summary>Makes, judges and revokes the keys of the HTTP API. The ledger keeps a hash of each secret and never the secret.</summary>
public sealed partial class ApiKeys
{
    /// <summary>Longest name, in letters.</summary>
    public const int MaxNameLength = 100;

    private static readonly TimeSpan UseIsNotedEvery = TimeSpan.FromMinutes(1);

    private readonly LedgerDatabase _database;
    private readonly TimeProvider _time;
    private readonly ILogger<ApiKeys> _logger;

    internal ApiKeys(LedgerDatabase database, TimeProvider time, ILogger<ApiKeys> logger)
    {
        _database = database;
        _time = time;
        _logger = logger;
    }

    /// <summary>Makes a key.</summary>
    /// <param name="name">What people call it, 1 to <see cref="MaxNameLength"/> letters.</param>
    /// <param name="tenant">Whose jobs it acts on.</param>
    /// <param name="role">What it may do.</param>
    /// <param name="lifetime">How long it opens; null for ever.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    /// <exception cref="ArgumentException">The name or the tenant is empty or too long, or the lifetime is not positive.</exception>
    public async Task<CreatedKey> CreateAsync(string name, string tenant, AccessRole role, TimeSpan? lifetime = null, CancellationToken cancellation = default)
    {
        RequireText(name, nameof(name));
        RequireText(tenant, nameof(tenant));
        if (lifetime <= TimeSpan.Zero)
        {
            throw new ArgumentOutOfRangeException(nameof(lifetime), lifetime, "A key must be good for some time; give a positive one.");
        }

        var now = _time.GetUtcNow();
        var (id, secret) = ApiKeySecret.Draw();
        await _database.WriteAsync(async (session, token) =>
        {
            await session.Statement("insert_api_key")
                .Set("@id", id)
                .Set("@name", name)
                .Set("@tenant", tenant)
                .Set("@role", role.WireName())
                .Set("@hash", Convert.ToHexStringLower(ApiKeySecret.Hash(secret)))
                .Set("@now", now.ToUnixTimeMilliseconds())
                .Set("@expires", (now + lifetime)?.ToUnixTimeMilliseconds())
                .ExecuteAsync(token);
            JsonObject details = new() { ["name"] = name, ["role"] = role.WireName(), ["expires_at"] = now + lifetime };
            await AuditChain.AppendAsync(session, now, AuditActions.KeyCreated, tenant, TargetOf(id), details, token);
            return true;
        }, cancellation);
        KeyCreated(id, name, role, tenant);
        var key = await FindAsync(id, cancellation) ?? throw new InvalidOperationException($"Key '{id}' is gone a moment after it was made; make another.");
        return new(key.Key, secret);
    }

    /// <summary>All keys, the newest first.</summary>
    public Task<List<ApiKey>> ListAsync(CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => session.Statement("list_api_keys").ListAsync(row => Read(row).Key, token), cancellation);

    /// <summary>Refuses the key from now on. Revoking it again changes nothing.</summary>
    /// <returns>The key, or null when there is none with this id.</returns>
    public async Task<ApiKey?> RevokeAsync(string id, CancellationToken cancellation = default)
    {
        var now = _time.GetUtcNow();
        var revoked = await _database.WriteAsync(async (session, token) =>
        {
            var changed = await session.Statement("revoke_api_key").Set("@id", id).Set("@now", now.ToUnixTimeMilliseconds()).ExecuteAsync(token);
            var key = (await FindAsync(session, id, token))?.Key;
            if (changed > 0)
            {
                await AuditChain.AppendAsync(session, now, AuditActions.KeyRevoked, key!.Tenant, TargetOf(id), new() { ["name"] = key.Name }, token);
                KeyRevoked(id);
            }

            return key;
        }, cancellation);
        return revoked;
    }

    /// <summary>Ids of all keys that open, for whoever has many to ask about.</summary>
    public Task<HashSet<string>> HoldingAsync(CancellationToken cancellation = default)
    {
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        return _database.ReadAsync(async (session, token) => (await session.Statement("list_valid_api_keys").Set("@now", now).ListAsync(row => row.GetString(0), token)).ToHashSet(StringComparer.Ordinal), cancellation);
    }

    /// <summary>Judges a secret, and notes that a valid key was used.</summary>
    /// <param name="secret">What somebody showed.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public async Task<KeyVerdict> VerifyAsync(string secret, CancellationToken cancellation = default)
    {
        if (ApiKeySecret.IdOf(secret) is not { } id
            || await FindAsync(id, cancellation) is not { } stored
            || !CryptographicOperations.FixedTimeEquals(stored.Hash, ApiKeySecret.Hash(secret)))
        {
            return new(KeyStanding.Unknown, null);
        }

        var now = _time.GetUtcNow();
        var standing = stored.Key.StandingAt(now);
        if (standing == KeyStanding.Valid && (stored.Key.LastUsedAt is not { } last || now - last >= UseIsNotedEvery))
        {
            await _database.WriteAsync((session, token) => session.Statement("note_api_key_use")
                .Set("@id", id)
                .Set("@now", now.ToUnixTimeMilliseconds())
                .ExecuteAsync(token), cancellation);
        }

        return new(standing, stored.Key);
    }

    private Task<StoredKey?> FindAsync(string id, CancellationToken cancellation) =>
        _database.ReadAsync((session, token) => FindAsync(session, id, token), cancellation);

    private static Task<StoredKey?> FindAsync(LedgerSession session, string id, CancellationToken cancellation) =>
        session.Statement("read_api_key").Set("@id", id).FirstAsync(Read, cancellation);

    /// <summary>How the audit log names a key.</summary>
    private static string TargetOf(string id) => $"key:{id}";

    private static void RequireText(string text, string name)
    {
        if (string.IsNullOrWhiteSpace(text) || text.Length > MaxNameLength)
        {
            throw new ArgumentException($"'{text}' is no {name} for a key; give 1 to {MaxNameLength} letters.", name);
        }
    }

    private static StoredKey Read(DbDataReader row) => new(
        new ApiKey
        {
            Id = row.GetString(0),
            Name = row.GetString(1),
            Tenant = row.GetString(2),
            Role = AccessRoles.Parse(row.GetString(3)),
            CreatedAt = row.Time(5),
            ExpiresAt = row.TimeOrNull(6),
            RevokedAt = row.TimeOrNull(7),
            LastUsedAt = row.TimeOrNull(8),
        },
        Convert.FromHexString(row.GetString(4)));

    [LoggerMessage(2050, LogLevel.Information, "Key {Key}, '{Name}', was made: {Role} of tenant {Tenant}")]
    private partial void KeyCreated(string key, string name, AccessRole role, string tenant);

    [LoggerMessage(2051, LogLevel.Information, "Key {Key} was revoked")]
    private partial void KeyRevoked(string key);

    private sealed record StoredKey(ApiKey Key, byte[] Hash);
}
