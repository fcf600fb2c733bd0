using System.Text.Json;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Ledger.Storage;

namespace Llava.Ledger.Jobs;

/// <summary>A source that was added to an open job, as the ledger holds it.</summary>
public sealed record PartRecord
{
    /// <summary>Counted from 1 in the order in which parts were added and are read; the job's own source comes before them.</summary>
    public required int Number { get; init; }

    /// <summary>Where its items come from.</summary>
    public required SourceDescription Source { get; init; }

    /// <summary>Whether it was read.</summary>
    public required PartState State { get; init; }

    /// <summary>Where the source's reader goes on after an interruption; the reader's own notation.</summary>
    public string? Position { get; init; }

    /// <summary>Number of its first item; null before there is one.</summary>
    public int? FirstItem { get; init; }

    /// <summary>Items read so far, all that follow on <see cref="FirstItem"/>.</summary>
    public int ItemCount { get; init; }

    /// <summary>Why it failed.</summary>
    public Failure? Failure { get; init; }

    /// <summary>When it was added.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Reads the columns that list_parts.sql selects.</summary>
    internal static PartRecord Read(System.Data.Common.DbDataReader row) => Read(row, 0);

    /// <summary>The same columns from <paramref name="at"/> on.</summary>
    internal static PartRecord Read(System.Data.Common.DbDataReader row, int at) => new()
    {
        Number = row.GetInt32(at),
        Source = JsonSerializer.Deserialize<SourceDescription>(row.GetString(at + 1), RequestJson.Options)!,
        State = PartStates.Table.Parse(row.GetString(at + 2)),
        Position = row.Text(at + 3),
        FirstItem = row.IsDBNull(at + 4) ? null : row.GetInt32(at + 4),
        ItemCount = row.GetInt32(at + 5),
        Failure = row.Text(at + 6) is { } code ? new(code, row.Text(at + 7) ?? "") : null,
        CreatedAt = row.Time(at + 8),
    };
}
