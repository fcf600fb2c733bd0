using System.Data.Common;
using System.Security.Cryptography;
using System.Text.Json;
using Llava.Ledger.Audit;
using Llava.Ledger.Storage;

namespace Llava.Ledger.Webhooks;

/// <summary>Addresses that are told of events, and what became of each telling.</summary>
public sealed class WebhookStore
{
    private const string SecretPrefix = "whsec_";

    private const int KeyBytes = 32;

    private readonly LedgerDatabase _database;
    private readonly TimeProvider _time;

    internal WebhookStore(LedgerDatabase database, TimeProvider time)
    {
        _database = database;
        _time = time;
    }

    /// <summary>Every type of event there is.</summary>
    public static IReadOnlyList<string> EventTypes => WebhookEvent.Types;

    /// <summary>Registers an address, with a secret of its own.</summary>
    /// <param name="tenant">Whose events it is told.</param>
    /// <param name="url">Where they are posted to; whoever posts judges it.</param>
    /// <param name="events">Of which types; empty for all.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public async Task<WebhookRecord> CreateAsync(string tenant, string url, IReadOnlyList<string> events, CancellationToken cancellation = default)
    {
        var now = _time.GetUtcNow();
        WebhookRecord webhook = new() { Id = "wh_" + Guid.CreateVersion7(now).ToString("N"), Tenant = tenant, Url = url, Events = events, CreatedAt = now, Secret = NewSecret() };
        await _database.WriteAsync(async (session, token) =>
        {
            await session.Statement("insert_webhook")
                .Set("@id", webhook.Id)
                .Set("@tenant", tenant)
                .Set("@url", url)
                .Set("@events", JsonSerializer.Serialize(events, LedgerJson.Default.IReadOnlyListString))
                .Set("@secret", webhook.Secret)
                .Set("@now", now.ToUnixTimeMilliseconds())
                .ExecuteAsync(token);
            await NoteAsync(session, now, AuditActions.WebhookCreated, webhook, token);
            return true;
        }, cancellation);
        return webhook;
    }

    /// <summary>The addresses of a tenant, or all, the oldest first.</summary>
    public Task<List<WebhookRecord>> ListAsync(string? tenant, CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => session.Statement("list_webhooks").Set("@tenant", tenant).ListAsync(Read, token), cancellation);

    /// <summary>The address; null when there is none, or it is not this tenant's (null for all).</summary>
    public async Task<WebhookRecord?> FindAsync(string id, string? tenant, CancellationToken cancellation = default) =>
        (await ListAsync(tenant, cancellation)).Find(webhook => webhook.Id == id);

    /// <summary>Forgets the address and what was sent to it.</summary>
    public Task DeleteAsync(WebhookRecord webhook, CancellationToken cancellation = default)
    {
        var now = _time.GetUtcNow();
        return _database.WriteAsync(async (session, token) =>
        {
            await session.Statement("delete_deliveries_of_webhook").Set("@webhook", webhook.Id).ExecuteAsync(token);
            var isThere = await session.Statement("delete_webhook").Set("@id", webhook.Id).ExecuteAsync(token) == 1;
            if (isThere)
            {
                await NoteAsync(session, now, AuditActions.WebhookDeleted, webhook, token);
            }

            return isThere;
        }, cancellation);
    }

    /// <summary>Gives the address another secret; what is sent meanwhile is signed with the former too.</summary>
    /// <param name="webhook">The address.</param>
    /// <param name="overlap">For how long.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    /// <returns>The address with its new secret.</returns>
    public async Task<WebhookRecord> RotateAsync(WebhookRecord webhook, TimeSpan overlap, CancellationToken cancellation = default)
    {
        var now = _time.GetUtcNow();
        var rotated = webhook with { Secret = NewSecret(), FormerSecret = webhook.Secret, FormerUntil = now + overlap };
        await _database.WriteAsync(async (session, token) =>
        {
            var isThere = await session.Statement("rotate_webhook")
                .Set("@id", webhook.Id)
                .Set("@secret", rotated.Secret)
                .Set("@former", rotated.FormerSecret)
                .Set("@until", rotated.FormerUntil?.ToUnixTimeMilliseconds())
                .ExecuteAsync(token) == 1;
            if (isThere)
            {
                await NoteAsync(session, now, AuditActions.WebhookRotated, webhook, token);
            }

            return isThere;
        }, cancellation);
        return rotated;
    }

    /// <summary>Sends the address an event that says nothing.</summary>
    public async Task<WebhookDelivery> TestAsync(WebhookRecord webhook, CancellationToken cancellation = default)
    {
        var test = WebhookEvent.Of(WebhookEvent.Test, webhook.Id, _time.GetUtcNow());
        var id = await _database.WriteAsync((session, token) => test.AddAsync(session, webhook, token), cancellation);
        return (await FindDeliveryAsync(webhook, id, cancellation))!;
    }

    /// <summary>What was and is sent to the address, the newest first.</summary>
    /// <param name="webhook">The address.</param>
    /// <param name="state">Only those that are so far; null for all.</param>
    /// <param name="after">Only those older than this id.</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public Task<List<WebhookDelivery>> DeliveriesAsync(WebhookRecord webhook, DeliveryState? state, string? after, int limit, CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => session.Statement("list_webhook_deliveries")
            .Set("@webhook", webhook.Id)
            .Set("@state", state?.WireName())
            .Set("@after", after)
            .Set("@limit", limit)
            .ListAsync(ReadDelivery, token), cancellation);

    /// <summary>The delivery to this address; null when there is none.</summary>
    public Task<WebhookDelivery?> FindDeliveryAsync(WebhookRecord webhook, string id, CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => session.Statement("read_webhook_delivery").Set("@id", id).Set("@webhook", webhook.Id).FirstAsync(ReadDelivery, token), cancellation);

    /// <summary>Sends what was sent before once more, now and for as long again.</summary>
    public async Task<WebhookDelivery> RedeliverAsync(WebhookRecord webhook, WebhookDelivery delivery, CancellationToken cancellation = default)
    {
        var now = _time.GetUtcNow();
        await _database.WriteAsync((session, token) => session.Statement("redeliver_webhook")
            .Set("@id", delivery.Id)
            .Set("@now", now.ToUnixTimeMilliseconds())
            .Set("@until", (now + (delivery.GiveUpAt - delivery.CreatedAt)).ToUnixTimeMilliseconds())
            .ExecuteAsync(token), cancellation);
        return (await FindDeliveryAsync(webhook, delivery.Id, cancellation))!;
    }

    internal static WebhookRecord Read(DbDataReader row) => new()
    {
        Id = row.GetString(0),
        Tenant = row.GetString(1),
        Url = row.GetString(2),
        Events = JsonSerializer.Deserialize(row.GetString(3), LedgerJson.Default.IReadOnlyListString)!,
        Secret = row.GetString(4),
        FormerSecret = row.Text(5),
        FormerUntil = row.TimeOrNull(6),
        CreatedAt = row.Time(7),
    };

    internal static WebhookDelivery ReadDelivery(DbDataReader row) => new()
    {
        Id = row.GetString(0),
        Webhook = row.GetString(1),
        Event = row.GetString(2),
        Type = row.GetString(3),
        Payload = row.GetString(4),
        State = DeliveryStates.Parse(row.GetString(5)),
        Attempts = row.GetInt32(6),
        CreatedAt = row.Time(7),
        NextAt = row.Time(8),
        GiveUpAt = row.Time(9),
        TriedAt = row.TimeOrNull(10),
        Status = row.IsDBNull(11) ? null : row.GetInt32(11),
        Error = row.Text(12),
    };

    /// <summary>The address itself may hold a secret, so that only its host is told.</summary>
    private static Task NoteAsync(LedgerSession session, DateTimeOffset now, string action, WebhookRecord webhook, CancellationToken cancellation) =>
        AuditChain.AppendAsync(session, now, action, webhook.Tenant, webhook.Id, new() { ["host"] = new Uri(webhook.Url).Host }, cancellation);

    private static string NewSecret() => SecretPrefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(KeyBytes));
}
