using Llava.Contracts;
using Llava.Ledger.Expansion;

namespace Llava.Scheduler.Sources;

/// <summary>A source cannot be read; its job fails.</summary>
internal sealed class SourceException(string code, string message, Exception? inner = null) : JobException(code, message, inner)
{
    /// <summary>The first records that cannot be used, where those are why.</summary>
    public IReadOnlyList<SourceFinding> Findings { get; init; } = [];

    public static SourceException NotFound(string path, string kind) =>
        new("source_not_found", $"There is no {kind} '{path}' on the scheduler's machine; check the path.");
}
