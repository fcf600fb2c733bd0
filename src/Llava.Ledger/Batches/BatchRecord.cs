using Llava.Contracts;
using Llava.Ledger.Expansion;

namespace Llava.Ledger.Batches;

/// <summary>What a batch is beyond its job.</summary>
public sealed record BatchRecord
{
    /// <summary><c>batch_</c> and 32 hexadecimal digits that grow with time.</summary>
    public required string Id { get; init; }

    /// <summary>Whose it is.</summary>
    public required string Tenant { get; init; }

    /// <summary>The job that does the work.</summary>
    public required JobId Job { get; init; }

    /// <summary>When it was created.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>What its sender said.</summary>
    public required BatchDescription Description { get; init; }

    /// <summary>When its end was asked for.</summary>
    public DateTimeOffset? CancellingAt { get; init; }

    /// <summary>Lines for which its input was refused; the first of them.</summary>
    public IReadOnlyList<SourceFinding> Findings { get; init; } = [];

    /// <summary>File of the answers, once published; null when there are none.</summary>
    public string? OutputFile { get; init; }

    /// <summary>File of the errors, once published; null when there are none.</summary>
    public string? ErrorFile { get; init; }

    /// <summary>When its files were there; null until then, and again while items of its job are tried again.</summary>
    public DateTimeOffset? PublishedAt { get; init; }
}

/// <summary>What is said of a batch when it is created, and repeated when it is read.</summary>
/// <param name="InputFile">The file of its lines.</param>
/// <param name="Endpoint">The endpoint that all lines call, such as <c>/v1/chat/completions</c>.</param>
/// <param name="CompletionWindow">How long it may take, as it was written.</param>
public sealed record BatchDescription(string InputFile, string Endpoint, string CompletionWindow)
{
    /// <summary>Labels; null for none.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>How long its output files are kept; null until they are deleted.</summary>
    public TimeSpan? OutputLifetime { get; init; }
}
