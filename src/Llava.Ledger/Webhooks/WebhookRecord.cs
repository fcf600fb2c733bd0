namespace Llava.Ledger.Webhooks;

/// <summary>An address of a tenant's that is told of events.</summary>
public sealed record WebhookRecord
{
    /// <summary><c>wh_</c> and 32 hexadecimal digits that grow with time.</summary>
    public required string Id { get; init; }

    /// <summary>Whose it is.</summary>
    public required string Tenant { get; init; }

    /// <summary>Where events are posted to.</summary>
    public required string Url { get; init; }

    /// <summary>The types of events that are; empty for all.</summary>
    public required IReadOnlyList<string> Events { get; init; }

    /// <summary>When it was registered.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>What signs the events, as <c>whsec_</c> and a key in base64.</summary>
    public required string Secret { get; init; }

    /// <summary>The secret before, which signs too for a while; null for none.</summary>
    public string? FormerSecret { get; init; }

    /// <summary>Until when.</summary>
    public DateTimeOffset? FormerUntil { get; init; }
}

/// <summary>An event on its way to an address, or there.</summary>
public sealed record WebhookDelivery
{
    /// <summary><c>whd_</c> and 32 hexadecimal digits that grow with time.</summary>
    public required string Id { get; init; }

    /// <summary>The address.</summary>
    public required string Webhook { get; init; }

    /// <summary>The event.</summary>
    public required string Event { get; init; }

    /// <summary>What happened, such as <c>batch.completed</c>.</summary>
    public required string Type { get; init; }

    /// <summary>The event as it is sent.</summary>
    public required string Payload { get; init; }

    /// <summary>How far it is.</summary>
    public required DeliveryState State { get; init; }

    /// <summary>How often it was tried.</summary>
    public int Attempts { get; init; }

    /// <summary>When it happened.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it is tried next, where it is.</summary>
    public DateTimeOffset NextAt { get; init; }

    /// <summary>When it is given up.</summary>
    public DateTimeOffset GiveUpAt { get; init; }

    /// <summary>When it was last tried.</summary>
    public DateTimeOffset? TriedAt { get; init; }

    /// <summary>The HTTP status of the last answer; null where there was none.</summary>
    public int? Status { get; init; }

    /// <summary>What was wrong with the last try; null for nothing.</summary>
    public string? Error { get; init; }
}

/// <summary>How far a delivery is.</summary>
public enum DeliveryState
{
    /// <summary>It is tried, and tried again.</summary>
    Pending,

    /// <summary>The address has taken it.</summary>
    Delivered,

    /// <summary>It was tried for long enough, and is sent again only on request.</summary>
    Dead,
}

/// <summary>Those states by name.</summary>
public static class DeliveryStates
{
    /// <summary>Every state as the ledger spells it.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Enum.GetValues<DeliveryState>().Select(WireName)];

    /// <summary>How the state is spelled.</summary>
    public static string WireName(this DeliveryState state) => state.ToString().ToLowerInvariant();

    /// <summary>The state spelled <paramref name="name"/>.</summary>
    internal static DeliveryState Parse(string name) => Enum.Parse<DeliveryState>(name, ignoreCase: true);
}
