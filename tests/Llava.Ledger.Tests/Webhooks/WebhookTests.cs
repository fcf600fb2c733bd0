using Llava.Ledger.Webhooks;

namespace Llava.Ledger.Tests.Webhooks;

/// <summary>Events on their way: each is tried by one process at a time, and none is lost with one.</summary>
public abstract class WebhookTests(TestDatabase database) : LedgerFixture(database)
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);

    private WebhookStore Webhooks => Get<WebhookStore>();

    private WebhookQueue Queue => Get<WebhookQueue>();

    [Fact]
    public async Task A_delivery_is_taken_once_and_again_when_who_took_it_is_gone()
    {
        var webhook = await Webhooks.CreateAsync("archive", "https://example.org", []);
        var sent = await Webhooks.TestAsync(webhook);

        var first = Assert.Single(await Queue.TakeAsync(Lease, 10));
        Assert.Empty(await Queue.TakeAsync(Lease, 10));
        Clock.Advance(Lease + TimeSpan.FromSeconds(1));
        var second = Assert.Single(await Queue.TakeAsync(Lease, 10));

        Assert.Equal((sent.Id, 1, 2), (first.Delivery.Id, first.Delivery.Attempts, second.Delivery.Attempts));
        Assert.Equal((sent.Event, sent.Payload, webhook.Url, webhook.Secret), (second.Delivery.Event, second.Delivery.Payload, second.Webhook.Url, second.Webhook.Secret));
    }

    [Fact]
    public async Task Two_processes_never_take_the_same()
    {
        var webhook = await Webhooks.CreateAsync("archive", "https://example.org", []);
        for (var number = 0; number < 20; number++)
        {
            await Webhooks.TestAsync(webhook);
        }

        await using var other = Open();
        var taken = await Task.WhenAll(Queue.TakeAsync(Lease, 20), ((WebhookQueue)other.GetService(typeof(WebhookQueue))!).TakeAsync(Lease, 20));

        var ids = taken.SelectMany(some => some).Select(due => due.Delivery.Id).ToList();
        Assert.Equal(20, ids.Count);
        Assert.Equal(20, ids.Distinct().Count());
    }

    [Fact]
    public async Task What_fails_waits_for_its_next_try_until_three_days_are_over_and_is_sent_again_on_request()
    {
        var webhook = await Webhooks.CreateAsync("archive", "https://example.org", []);
        var sent = await Webhooks.TestAsync(webhook);
        var due = Assert.Single(await Queue.TakeAsync(Lease, 10));
        Assert.Equal(DeliveryState.Pending, await Queue.NoteAsync(due.Delivery, new(503, "busy"), Pause));
        Assert.Empty(await Queue.TakeAsync(Lease, 10));

        Clock.Advance(TimeSpan.FromHours(72) - Pause);
        due = Assert.Single(await Queue.TakeAsync(Lease, 10));
        Assert.Equal(DeliveryState.Dead, await Queue.NoteAsync(due.Delivery, new(null, "nobody there"), Pause));
        var dead = Assert.Single(await Webhooks.DeliveriesAsync(webhook, DeliveryState.Dead, null, 10));
        Assert.Equal((2, null, "nobody there", Clock.GetUtcNow()), (dead.Attempts, dead.Status, dead.Error, dead.TriedAt));

        await Webhooks.RedeliverAsync(webhook, dead);
        due = Assert.Single(await Queue.TakeAsync(Lease, 10));
        Assert.Equal((sent.Event, DeliveryState.Delivered), (due.Delivery.Event, await Queue.NoteAsync(due.Delivery, new(200, null), Pause)));
        Assert.Empty(await Queue.TakeAsync(Lease, 10));
        Assert.Null(Assert.Single(await Webhooks.DeliveriesAsync(webhook, DeliveryState.Delivered, null, 10)).Error);
    }

    [Fact]
    public async Task Secrets_change_with_an_overlap_and_addresses_go_with_their_deliveries()
    {
        var webhook = await Webhooks.CreateAsync("archive", "https://example.org", ["job.completed"]);
        var rotated = await Webhooks.RotateAsync(webhook, TimeSpan.FromHours(1));
        var read = (await Webhooks.FindAsync(webhook.Id, "archive"))!;
        Assert.Equal((rotated.Secret, webhook.Secret, Clock.GetUtcNow() + TimeSpan.FromHours(1)), (read.Secret, read.FormerSecret, read.FormerUntil));
        Assert.Equal(["job.completed"], read.Events);
        Assert.Null(await Webhooks.FindAsync(webhook.Id, "others"));

        await Webhooks.TestAsync(webhook);
        await Webhooks.DeleteAsync(webhook);
        Assert.Empty(await Queue.TakeAsync(Lease, 10));
        Assert.Empty(await Webhooks.ListAsync("archive"));
    }

    [Fact]
    public async Task Deliveries_that_are_over_are_forgotten_in_time()
    {
        var webhook = await Webhooks.CreateAsync("archive", "https://example.org", []);
        await Webhooks.TestAsync(webhook);
        await Queue.NoteAsync(Assert.Single(await Queue.TakeAsync(Lease, 10)).Delivery, new(200, null), Pause);
        Clock.Advance(TimeSpan.FromDays(2));
        var waiting = await Webhooks.TestAsync(webhook);

        Assert.Equal(1, await Queue.TrimAsync(TimeSpan.FromDays(1)));
        Assert.Equal(waiting.Id, Assert.Single(await Webhooks.DeliveriesAsync(webhook, null, null, 10)).Id);
    }
}

public sealed class SqliteWebhookTests() : WebhookTests(new SqliteFile());

public sealed class PostgresWebhookTests() : WebhookTests(new PostgresTestDatabase());
