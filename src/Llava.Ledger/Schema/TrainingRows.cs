using Llava.Contracts.States;

namespace Llava.Ledger.Schema;

/// <summary>A training run. Times are Unix milliseconds.</summary>
internal sealed class TrainingRunRow
{
    public required string Id { get; init; }
    public required string Tenant { get; init; }
    public TrainingRunState State { get; init; }
    public int Priority { get; init; }

    /// <summary>The request as JSON.</summary>
    public required string Request { get; init; }

    /// <summary>The run whose model it starts from; null for one that waits for none.</summary>
    public string? PreviousId { get; init; }

    /// <summary>Name of the model that it makes.</summary>
    public required string Model { get; init; }

    /// <summary>The settings as they were chosen, as JSON; null until its files were read.</summary>
    public string? Resolved { get; init; }

    /// <summary>Rows that are wrong or were left out, as JSON.</summary>
    public string? Findings { get; init; }
    public int Step { get; init; }
    public int? Steps { get; init; }
    public long? EstimatedFinish { get; init; }
    public long CreatedAt { get; init; }
    public long? StartedAt { get; init; }
    public long? FinishedAt { get; init; }
    public string? ErrorCode { get; init; }
    public string? ErrorMessage { get; init; }
    public string? ErrorParam { get; init; }

    /// <summary>Id of the file with its metrics, once it succeeded.</summary>
    public string? ResultFile { get; init; }

    /// <summary>When its model was deleted.</summary>
    public long? ModelDeletedAt { get; init; }
    public string? Owner { get; init; }

    /// <summary>Counts claims and never falls, so that a former owner can never be taken for the present one.</summary>
    public int Fence { get; init; }
    public long? LeaseUntil { get; init; }

    /// <summary>Owners lost since its last training checkpoint.</summary>
    public int Losses { get; init; }

    /// <summary>Number of its newest event.</summary>
    public int Events { get; init; }
}

/// <summary>A run whose model may take a name over.</summary>
internal sealed class PromotionRow
{
    public required string RunId { get; init; }
    public required string Tenant { get; init; }
    public required string Name { get; init; }

    /// <summary>The model that the run makes.</summary>
    public required string Model { get; init; }

    /// <summary>Whether the name has moved; null before it was judged.</summary>
    public bool? Holds { get; init; }
    public string? Reason { get; init; }
    public long? DecidedAt { get; init; }
}

/// <summary>An optimizer step of a run.</summary>
internal sealed class TrainingMetricRow
{
    public required string RunId { get; init; }
    public int Step { get; init; }
    public double Loss { get; init; }
    public double Accuracy { get; init; }
    public double LearningRate { get; init; }
    public double GradientNorm { get; init; }
    public long Tokens { get; init; }
    public double TokensPerSecond { get; init; }

    /// <summary>Seconds that the step waited for answers of more urgent work.</summary>
    public double Waited { get; init; }
    public double? ValidLoss { get; init; }
    public double? ValidAccuracy { get; init; }
    public long CreatedAt { get; init; }
}

/// <summary>A training checkpoint of a run that is on disk.</summary>
internal sealed class TrainingCheckpointRow
{
    public required string RunId { get; init; }
    public int Step { get; init; }
    public long CreatedAt { get; init; }
}

/// <summary>Something that happened to a run.</summary>
internal sealed class TrainingEventRow
{
    public required string RunId { get; init; }

    /// <summary>Counted from 1.</summary>
    public int EventNo { get; init; }
    public required string Level { get; init; }
    public required string Message { get; init; }

    /// <summary>Metrics as JSON; null for a message.</summary>
    public string? Data { get; init; }
    public long CreatedAt { get; init; }
}
