using System.Data.Common;
using System.Text.Json;
using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Ledger.Storage;

namespace Llava.Ledger.Schedules;

/// <summary>A schedule as the ledger holds it.</summary>
public sealed record ScheduleRecord
{
    /// <summary>Its identity; unlike its name never used again.</summary>
    public required long Id { get; init; }

    /// <summary>What was asked for.</summary>
    public required ScheduleDefinition Definition { get; init; }

    /// <summary>False while it is paused.</summary>
    public required bool IsEnabled { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was last replaced, paused or resumed.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }

    /// <summary>Fires up to here have been dealt with; a later one that is past is due.</summary>
    public required DateTimeOffset SettledUntil { get; init; }

    /// <summary>When it last fired or was run, also where that made no job.</summary>
    public DateTimeOffset? LastRunAt { get; init; }

    /// <summary>The job it last made; it may have been deleted since.</summary>
    public JobId? LastJob { get; init; }

    /// <summary>Why it made no job when it last ran; null when it did.</summary>
    public string? LastError { get; init; }

    /// <summary>When it fires.</summary>
    public Cadence Cadence => Cadence.Parse(Definition.Cron, Definition.TimeZone);

    /// <summary>The fire that is to be dealt with at <paramref name="now"/>, the latest where several were missed; null when none is.</summary>
    public DateTimeOffset? DueAt(DateTimeOffset now) => IsEnabled ? Cadence.Latest(SettledUntil, now) : null;

    /// <summary>Reads the columns that list_schedules.sql and its like select.</summary>
    internal static ScheduleRecord Read(DbDataReader row) => new()
    {
        Id = row.GetInt64(0),
        Definition = ReadDefinition(row, Enum.Parse<ScheduleKind>(row.GetString(2), ignoreCase: true)),
        IsEnabled = row.GetBoolean(8),
        CreatedAt = row.Time(9),
        UpdatedAt = row.Time(10),
        SettledUntil = row.Time(11),
        LastRunAt = row.TimeOrNull(12),
        LastJob = row.IsDBNull(13) ? null : new(row.GetInt64(13)),
        LastError = row.Text(14),
    };

    /// <summary>What is asked for, as the column <c>request</c> holds it.</summary>
    internal static string WriteRequest(ScheduleDefinition definition) =>
        definition.Training is { } training ? JsonSerializer.Serialize(training, RequestJson.Options) : RequestJson.Write(definition.Request!);

    private static ScheduleDefinition ReadDefinition(DbDataReader row, ScheduleKind kind) => new()
    {
        Name = row.GetString(1),
        Kind = kind,
        Cron = row.GetString(3),
        TimeZone = row.GetString(4),
        Request = kind == ScheduleKind.Finetune ? null : RequestJson.Read(row.GetString(5)),
        Training = kind == ScheduleKind.Finetune ? JsonSerializer.Deserialize<TrainingRequest>(row.GetString(5), RequestJson.Options) : null,
        OnlyNew = row.GetBoolean(6),
        Overlap = Enum.Parse<ScheduleOverlap>(row.GetString(7), ignoreCase: true),
    };
}
