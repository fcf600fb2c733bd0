namespace Llava.Ledger.Schema;

/// <summary>A job that was submitted as an OpenAI batch. Times are Unix milliseconds.</summary>
internal sealed class BatchRow
{
    public required string Id { get; init; }
    public required string Tenant { get; init; }
    public long JobId { get; init; }
    public required string InputFileId { get; init; }
    public required string Endpoint { get; init; }

    /// <summary>The window as its sender wrote it.</summary>
    public required string CompletionWindow { get; init; }

    /// <summary>Labels as a JSON object.</summary>
    public string? Metadata { get; init; }

    /// <summary>How long its output files are kept, in milliseconds; null until they are deleted.</summary>
    public long? OutputLifetime { get; init; }
    public long CreatedAt { get; init; }
    public long? CancellingAt { get; init; }

    /// <summary>Why its input was refused, as a JSON array.</summary>
    public string? Findings { get; init; }

    /// <summary>The files of its answers and of its errors; null for one that would be empty.</summary>
    public string? OutputFileId { get; init; }
    public string? ErrorFileId { get; init; }

    /// <summary>When its files were made; null until then, and again while its job is tried again.</summary>
    public long? PublishedAt { get; init; }
}
