using System.Text.Json;
using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Ledger.Results;
using Llava.Ledger.Sampling;
using Llava.Ledger.Storage;

namespace Llava.Ledger.Jobs;

/// <summary>A job as the ledger holds it.</summary>
public sealed record JobRecord
{
    /// <summary>Its identity.</summary>
    public required JobId Id { get; init; }

    /// <summary>Where it is in its life.</summary>
    public required JobState State { get; init; }

    /// <summary>What was asked for.</summary>
    public required JobRequest Request { get; init; }

    /// <summary>Whether further sources may be added; it is not over before it is closed.</summary>
    public bool IsOpen { get; init; }

    /// <summary>Items known so far; all of its own source once <see cref="ExpandedAt"/> is set. Parts may add more.</summary>
    public required int ItemCount { get; init; }

    /// <summary>Where the source's reader goes on after an interruption; the reader's own notation.</summary>
    public string? SourcePosition { get; init; }

    /// <summary>When it was submitted.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When all items of its own source were known.</summary>
    public DateTimeOffset? ExpandedAt { get; init; }

    /// <summary>Whether its own source is still being read; its items may be worked on meanwhile, see <see cref="JobRequest.RunsWhileRead"/>.</summary>
    public bool IsBeingRead => ExpandedAt is null && (State is JobState.Validating or JobState.Queued or JobState.Running);

    /// <summary>When the first chunk was claimed.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it was over.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>When unanswered items expire.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Why it failed.</summary>
    public Failure? Failure { get; init; }

    /// <summary>Counts of a job that is over; null while they may still change.</summary>
    public JobProgress? FinalProgress { get; init; }

    /// <summary>First chunk of its sample, which is worked on before all others; null where it has none.</summary>
    public int? SampleChunk { get; init; }

    /// <summary>What its sample came to; null where it has none, or it is not worked on yet.</summary>
    public SampleResult? Sample { get; init; }

    /// <summary>Whether it waits, its sample done, for somebody to look at that and resume it.</summary>
    public bool IsSampled => State == JobState.Paused && Sample is not null;

    /// <summary>Context of the span that submitted it, as W3C's <c>traceparent</c>; null when nobody traced that.</summary>
    public string? TraceParent { get; init; }

    /// <summary>What results call the model: its folder's name, which says nothing about this machine.</summary>
    public string ModelName() => ModelName(Request.Model);

    /// <summary>What the item's result calls the model that it asked.</summary>
    public string ModelName(ItemResult result) => ModelName(result.Model ?? Request.Model);

    private static string ModelName(string model) => Path.GetFileName(Path.TrimEndingDirectorySeparator(model));

    /// <summary>How many columns <see cref="Read"/> reads.</summary>
    internal const int Columns = 17;

    /// <summary>Reads the columns that read_job.sql and list_jobs.sql select.</summary>
    internal static JobRecord Read(System.Data.Common.DbDataReader row) => new()
    {
        Id = new(row.GetInt64(0)),
        State = JobStates.Table.Parse(row.GetString(1)),
        Request = RequestJson.Read(row.GetString(2)),
        ItemCount = row.GetInt32(3),
        SourcePosition = row.Text(4),
        CreatedAt = row.Time(5),
        ExpandedAt = row.TimeOrNull(6),
        StartedAt = row.TimeOrNull(7),
        FinishedAt = row.TimeOrNull(8),
        ExpiresAt = row.TimeOrNull(9),
        Failure = row.Text(10) is { } code ? new(code, row.Text(11) ?? "") : null,
        FinalProgress = row.Text(12) is { } json ? JsonSerializer.Deserialize(json, LedgerJson.Default.JobProgress) : null,
        TraceParent = row.Text(13),
        IsOpen = row.GetBoolean(14),
        SampleChunk = row.IsDBNull(15) ? null : row.GetInt32(15),
        Sample = row.Text(16) is { } sample ? JsonSerializer.Deserialize(sample, LedgerJson.Default.SampleResult) : null,
    };
}
