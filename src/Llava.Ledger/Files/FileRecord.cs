namespace Llava.Ledger.Files;

/// <summary>A file as the ledger knows it: everything but its bytes.</summary>
public sealed record FileRecord
{
    /// <summary><c>file-</c> and 32 hexadecimal digits that grow with time.</summary>
    public required string Id { get; init; }

    /// <summary>Whose it is.</summary>
    public required string Tenant { get; init; }

    /// <summary>What its sender calls it; never a path here.</summary>
    public required string Name { get; init; }

    /// <summary>What it is for, in OpenAI's words, such as <c>batch</c>.</summary>
    public required string Purpose { get; init; }

    /// <summary>Its length in bytes.</summary>
    public required long Bytes { get; init; }

    /// <summary>SHA-256 of its bytes, in lower-case hexadecimal.</summary>
    public required string Sha256 { get; init; }

    /// <summary>When its first byte came.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>From when on it is as if it were not there; null for never.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Where its bytes are below the folder of all files.</summary>
    internal string Location { get; init; } = "";
}

/// <summary>What is said about a file when it is kept.</summary>
/// <param name="Name">What people call it, 1 to <see cref="MaxNameLength"/> letters.</param>
/// <param name="Purpose">What it is for, in OpenAI's words, such as <c>batch_output</c>.</param>
/// <param name="Lifetime">How long it is kept; null until it is deleted.</param>
public sealed record FileDescription(string Name, string Purpose, TimeSpan? Lifetime = null)
{
    /// <summary>Longest name, in letters.</summary>
    public const int MaxNameLength = 512;
}

/// <summary>Which files are listed.</summary>
public sealed record FileFilter
{
    /// <summary>Only this tenant's; null for all.</summary>
    public string? Tenant { get; init; }

    /// <summary>Only those for this purpose; null for all.</summary>
    public string? Purpose { get; init; }

    /// <summary>Only those behind this id in the order asked for; it need not be there any more.</summary>
    public string? After { get; init; }

    /// <summary>Whether the oldest come first; else the newest.</summary>
    public bool OldestFirst { get; init; }

    /// <summary>How many at most.</summary>
    public int Limit { get; init; } = 10_000;
}
