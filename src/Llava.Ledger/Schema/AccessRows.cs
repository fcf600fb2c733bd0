namespace Llava.Ledger.Schema;

/// <summary>Somebody who signed in on the pages. Times are Unix milliseconds.</summary>
internal sealed class SignInRow
{
    public required string Id { get; init; }

    /// <summary>The key that was shown; null for the one-time link.</summary>
    public string? KeyId { get; init; }
    public long CreatedAt { get; init; }
    public long ExpiresAt { get; init; }
    public long? EndedAt { get; init; }
}

/// <summary>A line of the audit log, which the database refuses to change.</summary>
internal sealed class AuditRow
{
    public long Number { get; init; }
    public long At { get; init; }
    public required string Actor { get; init; }
    public required string Tenant { get; init; }
    public required string Action { get; init; }
    public required string Target { get; init; }
    public string? RequestId { get; init; }
    public string? Details { get; init; }

    /// <summary>SHA-256 of the line before's and of this line, in hexadecimal.</summary>
    public required string Hash { get; init; }
}
