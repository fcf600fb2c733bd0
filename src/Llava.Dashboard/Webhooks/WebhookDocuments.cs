using System.Text.Json.Serialization;
using Llava.Ledger.Webhooks;

namespace Llava.Dashboard.Webhooks;

/// <summary>Body of <c>POST /webhooks</c>.</summary>
/// <param name="Url">Where events are posted to.</param>
/// <param name="Events">Their types; none for all.</param>
internal sealed record WebhookBody(string? Url, IReadOnlyList<string>? Events = null);

/// <summary>An address as it is told of; its secret only when it is new.</summary>
internal sealed record WebhookDocument(string Id, string Url, IReadOnlyList<string> Events, DateTimeOffset CreatedAt, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Secret = null)
{
    public static WebhookDocument Of(WebhookRecord webhook, bool showsSecret = false) => new(webhook.Id, webhook.Url, webhook.Events, webhook.CreatedAt, showsSecret ? webhook.Secret : null);
}

/// <summary>A delivery as it is told of.</summary>
internal sealed record DeliveryDocument(
    string Id, string Event, string Type, string State, int Attempts, DateTimeOffset CreatedAt, DateTimeOffset? TriedAt, DateTimeOffset? NextAt, DateTimeOffset GiveUpAt, int? Status, string? Error, string Payload)
{
    public static DeliveryDocument Of(WebhookDelivery delivery) => new(
        delivery.Id,
        delivery.Event,
        delivery.Type,
        delivery.State.WireName(),
        delivery.Attempts,
        delivery.CreatedAt,
        delivery.TriedAt,
        delivery.State == DeliveryState.Pending ? delivery.NextAt : null,
        delivery.GiveUpAt,
        delivery.Status,
        delivery.Error,
        delivery.Payload);
}

/// <summary>All addresses.</summary>
internal sealed record WebhookListDocument(IReadOnlyList<WebhookDocument> Webhooks);

/// <summary>A page of deliveries.</summary>
/// <param name="Deliveries">The deliveries, the newest first.</param>
/// <param name="HasMore">Whether there are older ones, behind the last of these.</param>
internal sealed record DeliveryListDocument(IReadOnlyList<DeliveryDocument> Deliveries, bool HasMore);
