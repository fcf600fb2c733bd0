using System.Data.Common;
using System.Globalization;
using Llava.Ledger.Storage;

namespace Llava.Ledger.Training;

/// <summary>An optimizer step of a run.</summary>
public sealed record TrainingMetric
{
    /// <summary>Optimizer steps done, from 1.</summary>
    public required int Step { get; init; }

    /// <summary>Mean cross-entropy of the step, in nats.</summary>
    public required double Loss { get; init; }

    /// <summary>Share of the learned tokens that the model would have chosen, 0 to 1.</summary>
    public required double Accuracy { get; init; }

    /// <summary>Learning rate of the step.</summary>
    public required double LearningRate { get; init; }

    /// <summary>Norm of the gradient before clipping.</summary>
    public required double GradientNorm { get; init; }

    /// <summary>Text and image positions of the step.</summary>
    public required long Tokens { get; init; }

    /// <summary>Those positions per second.</summary>
    public required double TokensPerSecond { get; init; }

    /// <summary>How long the step waited before it began, because more urgent work had the device.</summary>
    public TimeSpan Waited { get; init; }

    /// <summary>Loss over the whole validation file after the step; null where it was not looked at.</summary>
    public double? ValidLoss { get; init; }

    /// <summary>Accuracy over the whole validation file after the step; null where it was not looked at.</summary>
    public double? ValidAccuracy { get; init; }

    /// <summary>When it was done.</summary>
    public DateTimeOffset At { get; init; }

    internal static TrainingMetric Read(DbDataReader row) => new()
    {
        Step = row.GetInt32(0),
        Loss = row.GetDouble(1),
        Accuracy = row.GetDouble(2),
        LearningRate = row.GetDouble(3),
        GradientNorm = row.GetDouble(4),
        Tokens = row.GetInt64(5),
        TokensPerSecond = row.GetDouble(6),
        ValidLoss = row.IsDBNull(7) ? null : row.GetDouble(7),
        ValidAccuracy = row.IsDBNull(8) ? null : row.GetDouble(8),
        At = row.Time(9),
        Waited = TimeSpan.FromSeconds(row.GetDouble(10)),
    };
}

/// <summary>A training checkpoint that is on disk.</summary>
/// <param name="Step">Optimizer steps done.</param>
/// <param name="CreatedAt">When it was complete.</param>
/// <param name="Loss">Loss of the step before it.</param>
/// <param name="Accuracy">Token accuracy of that step.</param>
/// <param name="ValidLoss">Validation loss after it; null where it was not looked at.</param>
/// <param name="ValidAccuracy">Validation accuracy after it.</param>
public sealed record TrainingCheckpointRecord(int Step, DateTimeOffset CreatedAt, double Loss, double Accuracy, double? ValidLoss, double? ValidAccuracy)
{
    /// <summary>What stands between a model's name and the step in the name of a checkpoint's weights.</summary>
    public const string ModelMark = ":ckpt-step-";

    /// <summary>Name of its weights as a model.</summary>
    public static string ModelName(string model, int step) => string.Create(CultureInfo.InvariantCulture, $"{model}{ModelMark}{step}");

    /// <summary>The model of the run that a name means, be it that model's or a checkpoint's.</summary>
    public static string RunModelOf(string name) => name.IndexOf(ModelMark, StringComparison.Ordinal) is var mark and >= 0 ? name[..mark] : name;

    internal static TrainingCheckpointRecord Read(DbDataReader row) =>
        new(row.GetInt32(0), row.Time(1), row.GetDouble(2), row.GetDouble(3), row.IsDBNull(4) ? null : row.GetDouble(4), row.IsDBNull(5) ? null : row.GetDouble(5));
}

/// <summary>Something that happened to a run.</summary>
/// <param name="Number">Counted from 1.</param>
/// <param name="Level">How bad it is.</param>
/// <param name="Message">What happened.</param>
/// <param name="Data">Metrics as JSON; null for a message.</param>
/// <param name="CreatedAt">When.</param>
public sealed record TrainingEvent(int Number, TrainingEventLevel Level, string Message, string? Data, DateTimeOffset CreatedAt)
{
    internal static TrainingEvent Read(DbDataReader row) =>
        new(row.GetInt32(0), Enum.Parse<TrainingEventLevel>(row.GetString(1), ignoreCase: true), row.GetString(2), row.Text(3), row.Time(4));
}

/// <summary>How bad an event is.</summary>
public enum TrainingEventLevel
{
    /// <summary>As it should be.</summary>
    Info,

    /// <summary>Worth a look.</summary>
    Warn,

    /// <summary>The run is over by it.</summary>
    Error,
}
