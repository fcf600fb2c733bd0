using Llava.Ledger.Storage;

namespace Llava.Ledger.Webhooks;

/// <summary>Deliveries whose time has come: each is taken by one process at a time, and by another when that one died of it.</summary>
public sealed class WebhookQueue
{
    private readonly LedgerDatabase _database;
    private readonly TimeProvider _time;

    internal WebhookQueue(LedgerDatabase database, TimeProvider time)
    {
        _database = database;
        _time = time;
    }

    /// <summary>Takes deliveries that are due.</summary>
    /// <param name="lease">For how long nobody else tries them.</param>
    /// <param name="limit">How many at most.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public Task<List<DueDelivery>> TakeAsync(TimeSpan lease, int limit, CancellationToken cancellation = default)
    {
        var now = _time.GetUtcNow();
        var until = (now + lease).ToUnixTimeMilliseconds();
        return _database.WriteAsync(async (session, token) =>
        {
            List<DueDelivery> taken = [];
            foreach (var due in await session.Statement("list_due_deliveries").Set("@now", now.ToUnixTimeMilliseconds()).Set("@limit", limit).ListAsync(WebhookStore.ReadDelivery, token))
            {
                var isMine = await session.Statement("take_webhook_delivery")
                    .Set("@id", due.Id)
                    .Set("@seen", due.NextAt.ToUnixTimeMilliseconds())
                    .Set("@until", until)
                    .ExecuteAsync(token) == 1;
                if (isMine && await session.Statement("read_webhook").Set("@id", due.Webhook).FirstAsync(WebhookStore.Read, token) is { } webhook)
                {
                    taken.Add(new(due with { Attempts = due.Attempts + 1 }, webhook));
                }
            }

            return taken;
        }, cancellation);
    }

    /// <summary>Notes what came of a try.</summary>
    /// <param name="delivery">The delivery.</param>
    /// <param name="tried">What came of it.</param>
    /// <param name="pause">How long to wait before the next try, if there is one.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    /// <returns>How far the delivery is now.</returns>
    public async Task<DeliveryState> NoteAsync(WebhookDelivery delivery, DeliveryTry tried, TimeSpan pause, CancellationToken cancellation = default)
    {
        var now = _time.GetUtcNow();
        var next = now + pause;
        var state = tried.Error is null ? DeliveryState.Delivered : next < delivery.GiveUpAt ? DeliveryState.Pending : DeliveryState.Dead;
        await _database.WriteAsync((session, token) => session.Statement("note_webhook_delivery")
            .Set("@id", delivery.Id)
            .Set("@state", state.WireName())
            .Set("@next", next.ToUnixTimeMilliseconds())
            .Set("@now", now.ToUnixTimeMilliseconds())
            .Set("@status", tried.Status)
            .Set("@error", tried.Error)
            .ExecuteAsync(token), cancellation);
        return state;
    }

    /// <summary>Forgets deliveries that are over and happened before then.</summary>
    /// <returns>How many.</returns>
    public Task<int> TrimAsync(TimeSpan keep, CancellationToken cancellation = default) =>
        _database.WriteAsync((session, token) => session.Statement("trim_webhook_deliveries").Set("@before", (_time.GetUtcNow() - keep).ToUnixTimeMilliseconds()).ExecuteAsync(token), cancellation);
}

/// <summary>A delivery that is due, and where it goes.</summary>
/// <param name="Delivery">The delivery.</param>
/// <param name="Webhook">The address.</param>
public sealed record DueDelivery(WebhookDelivery Delivery, WebhookRecord Webhook);

/// <summary>What came of a try.</summary>
/// <param name="Status">The HTTP status of the answer; null where there was none.</param>
/// <param name="Error">What was wrong; null for nothing.</param>
public sealed record DeliveryTry(int? Status, string? Error);
