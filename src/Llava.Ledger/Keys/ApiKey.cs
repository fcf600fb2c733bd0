namespace Llava.Ledger.Keys;

/// <summary>A key as the ledger knows it: everything but its secret.</summary>
public sealed record ApiKey
{
    /// <summary>Its public part, which the secret repeats.</summary>
    public required string Id { get; init; }

    /// <summary>What people call it.</summary>
    public required string Name { get; init; }

    /// <summary>Whose jobs it acts on; an admin's own submissions belong there too.</summary>
    public required string Tenant { get; init; }

    /// <summary>What it may do.</summary>
    public required AccessRole Role { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>From when on it is refused; null for never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>When it was revoked; null while it is not.</summary>
    public DateTimeOffset? RevokedAt { get; init; }

    /// <summary>When it was last used, to the minute; null for never.</summary>
    public DateTimeOffset? LastUsedAt { get; init; }

    /// <summary>The part of the secret that may be shown.</summary>
    public string Prefix => ApiKeySecret.PrefixOf(Id);

    /// <summary>Whether it is good at <paramref name="time"/>.</summary>
    public KeyStanding StandingAt(DateTimeOffset time) =>
        RevokedAt is not null ? KeyStanding.Revoked : ExpiresAt <= time ? KeyStanding.Expired : KeyStanding.Valid;
}

/// <summary>What became of a secret that somebody showed.</summary>
public enum KeyStanding
{
    /// <summary>No key has this secret.</summary>
    Unknown,

    /// <summary>It opens.</summary>
    Valid,

    /// <summary>Its time is over.</summary>
    Expired,

    /// <summary>It was revoked.</summary>
    Revoked,
}

/// <summary>The verdict on a secret.</summary>
/// <param name="Standing">Whether it opens.</param>
/// <param name="Key">The key; null only when it is unknown.</param>
public sealed record KeyVerdict(KeyStanding Standing, ApiKey? Key);

/// <summary>A key that was just made.</summary>
/// <param name="Key">The key.</param>
/// <param name="Secret">Its secret: nobody can tell it a second time.</param>
public sealed record CreatedKey(ApiKey Key, string Secret);
