namespace Llava.Ledger.Schema;

/// <summary>An address of a tenant's that is told of events. Times are Unix milliseconds.</summary>
internal sealed class WebhookRow
{
    public required string Id { get; init; }
    public required string Tenant { get; init; }
    public required string Url { get; init; }

    /// <summary>The types of events it is told of, as a JSON array; an empty one is all.</summary>
    public required string Events { get; init; }
    public required string Secret { get; init; }

    /// <summary>The secret before, which signs too until then.</summary>
    public string? FormerSecret { get; init; }
    public long? FormerUntil { get; init; }
    public long CreatedAt { get; init; }
}

/// <summary>An event on its way to an address.</summary>
internal sealed class WebhookDeliveryRow
{
    public required string Id { get; init; }
    public required string WebhookId { get; init; }
    public required string EventId { get; init; }
    public required string Type { get; init; }

    /// <summary>The event as it is sent.</summary>
    public required string Payload { get; init; }
    public required string State { get; init; }
    public int Attempts { get; init; }
    public long CreatedAt { get; init; }

    /// <summary>From when on it is tried; also how long who tries it has it to himself.</summary>
    public long NextAt { get; init; }

    /// <summary>When it is given up.</summary>
    public long GiveUpAt { get; init; }

    /// <summary>When it was last tried, and what came of that.</summary>
    public long? TriedAt { get; init; }
    public int? Status { get; init; }
    public string? Error { get; init; }
}
