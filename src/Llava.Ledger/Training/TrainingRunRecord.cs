using System.Data.Common;
using System.Text.Json;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Ledger.Storage;

namespace Llava.Ledger.Training;

/// <summary>A training run as the ledger knows it.</summary>
public sealed record TrainingRunRecord
{
    /// <summary>How names of trained models begin.</summary>
    public const string ModelPrefix = "ft:";

    /// <summary><c>ftjob-</c> and 32 hexadecimal digits that grow with time.</summary>
    public required string Id { get; init; }

    /// <summary>What was asked for.</summary>
    public required TrainingRequest Request { get; init; }

    /// <summary>Where it is.</summary>
    public required TrainingRunState State { get; init; }

    /// <summary>Name of the model that it makes; jobs and chats may ask for it once the run succeeded.</summary>
    public required string Model { get; init; }

    /// <summary>The settings as they were chosen; null until its files were read.</summary>
    public TrainingSettings? Resolved { get; init; }

    /// <summary>Rows that are wrong or were left out, the first <see cref="RowFinding.Most"/> of them.</summary>
    public IReadOnlyList<RowFinding> Findings { get; init; } = [];

    /// <summary>Optimizer steps that are done.</summary>
    public int Step { get; init; }

    /// <summary>Optimizer steps of the whole run; null until its files were read.</summary>
    public int? Steps { get; init; }

    /// <summary>Text and image positions it has learned from.</summary>
    public long TrainedTokens { get; init; }

    /// <summary>Loss of its newest step; null before the first.</summary>
    public double? Loss { get; init; }

    /// <summary>When it will be done at its present pace; null while it is not trained.</summary>
    public DateTimeOffset? EstimatedFinish { get; init; }

    /// <summary>When it was asked for.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was first trained.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it was over.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>Why it failed.</summary>
    public TrainingFailure? Failure { get; init; }

    /// <summary>Id of the file with its metrics, once it succeeded.</summary>
    public string? ResultFile { get; init; }

    /// <summary>When its model was deleted; null while there is one, or none yet.</summary>
    public DateTimeOffset? ModelDeletedAt { get; init; }

    /// <summary>The worker that has it; null when none.</summary>
    public string? Owner { get; init; }

    /// <summary>Until when the worker has it.</summary>
    public DateTimeOffset? LeaseUntil { get; init; }

    /// <summary>Workers lost since its last training checkpoint.</summary>
    public int Losses { get; init; }

    /// <summary>Whether its model can be asked for.</summary>
    public bool HasModel => State == TrainingRunState.Succeeded && ModelDeletedAt is null;

    internal int Fence { get; init; }

    internal static TrainingRunRecord Read(DbDataReader row) => new()
    {
        Id = row.GetString(0),
        State = TrainingRunStates.Table.Parse(row.GetString(2)),
        Request = JsonSerializer.Deserialize<TrainingRequest>(row.GetString(3), RequestJson.Options)!,
        Model = row.GetString(4),
        Resolved = row.Text(5) is { } resolved ? JsonSerializer.Deserialize<TrainingSettings>(resolved, RequestJson.Options) : null,
        Findings = row.Text(6) is { } findings ? JsonSerializer.Deserialize<List<RowFinding>>(findings, RequestJson.Options)! : [],
        Step = row.GetInt32(7),
        Steps = row.IsDBNull(8) ? null : row.GetInt32(8),
        EstimatedFinish = row.TimeOrNull(9),
        CreatedAt = row.Time(10),
        StartedAt = row.TimeOrNull(11),
        FinishedAt = row.TimeOrNull(12),
        Failure = row.Text(13) is { } code ? new(code, row.Text(14) ?? "", row.Text(15)) : null,
        ResultFile = row.Text(16),
        ModelDeletedAt = row.TimeOrNull(17),
        Owner = row.Text(18),
        Fence = row.GetInt32(19),
        LeaseUntil = row.TimeOrNull(20),
        Losses = row.GetInt32(21),
        // PostgreSQL sums bigint to numeric.
        TrainedTokens = Convert.ToInt64(row.GetValue(22), null),
        Loss = row.IsDBNull(23) ? null : row.GetDouble(23),
    };
}

/// <summary>Why a run failed.</summary>
/// <param name="Code">Short snake_case word, such as <c>invalid_training_file</c>.</param>
/// <param name="Message">What could not be done and the next step.</param>
/// <param name="Param">The field of the request that is to blame; null when none is.</param>
public sealed record TrainingFailure(string Code, string Message, string? Param = null);

/// <summary>Something about a row of a run's files.</summary>
/// <param name="File">Id of the file.</param>
/// <param name="Line">The row, from 1; 0 for the file as a whole.</param>
/// <param name="Code">Short snake_case word, such as <c>invalid_image</c>.</param>
/// <param name="Message">What is wrong with it.</param>
/// <param name="IsSkipped">Whether the row was left out; else it made the run fail.</param>
public sealed record RowFinding(string File, int Line, string Code, string Message, bool IsSkipped)
{
    /// <summary>Findings that are kept of a run.</summary>
    public const int Most = 1000;
}
