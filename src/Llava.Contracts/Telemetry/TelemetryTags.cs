namespace Llava.Contracts.Telemetry;

/// <summary>Names of the tags of spans and metrics.</summary>
public static class TelemetryTags
{
    /// <summary>Job id; spans only, a metric would have a series for each.</summary>
    public const string Job = "llava.job.id";

    /// <summary>Chunk number; spans only.</summary>
    public const string Chunk = "llava.chunk.number";

    /// <summary>Item number; spans only.</summary>
    public const string Item = "llava.item.number";

    /// <summary>How many items a span is about; spans only.</summary>
    public const string Items = "llava.items";

    /// <summary>Which attempt on a chunk it is; spans only.</summary>
    public const string Attempt = "llava.chunk.attempt";

    /// <summary>Name of the model; of a folder, its last part.</summary>
    public const string Model = "llava.model";

    /// <summary>Outcome of an item, as it is spelled on the wire.</summary>
    public const string Outcome = "llava.item.outcome";

    /// <summary>State of a job, as it is spelled on the wire.</summary>
    public const string JobState = "llava.job.state";

    /// <summary>State of a chunk, as it is spelled on the wire.</summary>
    public const string ChunkState = "llava.chunk.state";

    /// <summary><c>prompt</c>, <c>cached</c> or <c>completion</c>.</summary>
    public const string TokenKind = "llava.token.kind";

    /// <summary>Code of an error; OpenTelemetry's own name for it.</summary>
    public const string Error = "error.type";
}
