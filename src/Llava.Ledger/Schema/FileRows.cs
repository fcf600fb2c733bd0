namespace Llava.Ledger.Schema;

/// <summary>A file of a tenant. Times are Unix milliseconds.</summary>
internal sealed class FileRow
{
    public required string Id { get; init; }
    public required string Tenant { get; init; }
    public required string Name { get; init; }
    public required string Purpose { get; init; }
    public long Bytes { get; init; }

    /// <summary>SHA-256 of the bytes, in hexadecimal.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Where the bytes are below the folder of all files.</summary>
    public required string Location { get; init; }

    /// <summary>Whether all bytes are there; nobody sees it before.</summary>
    public bool Kept { get; init; }
    public long CreatedAt { get; init; }
    public long? ExpiresAt { get; init; }
}

/// <summary>A file that is sent in parts.</summary>
internal sealed class UploadRow
{
    public required string Id { get; init; }
    public required string Tenant { get; init; }
    public required string Name { get; init; }
    public required string Purpose { get; init; }

    /// <summary>How long the file was said to be.</summary>
    public long Bytes { get; init; }

    /// <summary>How long the file is kept, in milliseconds; null until it is deleted.</summary>
    public long? Lifetime { get; init; }
    public required string State { get; init; }

    /// <summary>The file, once complete.</summary>
    public string? FileId { get; init; }
    public long CreatedAt { get; init; }
    public long ExpiresAt { get; init; }
}

/// <summary>A part of such a file.</summary>
internal sealed class UploadPartRow
{
    public required string Id { get; init; }
    public required string UploadId { get; init; }
    public long Bytes { get; init; }
    public long CreatedAt { get; init; }
}
