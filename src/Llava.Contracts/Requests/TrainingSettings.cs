using System.Text.Json.Serialization;

namespace Llava.Contracts.Requests;

/// <summary>How a training run learns. What is null is chosen once its files were read (<c>auto</c> in OpenAI's words).</summary>
public sealed record TrainingSettings
{
    /// <summary>What is trained.</summary>
    public TrainingMode Mode { get; init; }

    /// <summary>Passes over the data, 1 to 50.</summary>
    public int? Epochs { get; init; }

    /// <summary>Rows of an optimizer step, 1 to 256.</summary>
    public int? BatchSize { get; init; }

    /// <summary>Factor on the mode's usual learning rate.</summary>
    public double? LearningRateMultiplier { get; init; }

    /// <summary>The highest learning rate itself, instead of a factor.</summary>
    public double? LearningRate { get; init; }

    /// <summary>Optimizer steps, instead of passes over the data.</summary>
    public int? MaxSteps { get; init; }

    /// <summary>Optimizer steps between training checkpoints.</summary>
    public int? SaveEvery { get; init; }

    /// <summary>Optimizer steps between two looks at the validation file.</summary>
    public int? EvalEvery { get; init; }

    /// <summary>Every rule that is broken.</summary>
    public IEnumerable<Finding> Findings() =>
    [
        .. Within("n_epochs", Epochs, 1, 50),
        .. Within("batch_size", BatchSize, 1, 256),
        .. Within("max_steps", MaxSteps, 1, 10_000_000),
        .. Within("save_every", SaveEvery, 1, 10_000_000),
        .. Within("eval_every", EvalEvery, 1, 10_000_000),
        .. Positive("learning_rate_multiplier", LearningRateMultiplier, 1000),
        .. Positive("learning_rate", LearningRate, 1),
        .. LearningRate is not null && LearningRateMultiplier is not null
            ? [new Finding("learning_rate_multiplier", "is given beside learning_rate; the rate can come from one of them only.")]
            : Array.Empty<Finding>(),
    ];

    private static IEnumerable<Finding> Within(string field, int? value, int least, int most) => value is null || (value >= least && value <= most)
        ? []
        : [new(field, FormattableString.Invariant($"is {value}; give a number from {least} to {most}, or 'auto'."))];

    private static IEnumerable<Finding> Positive(string field, double? value, double most) => value is null || (value > 0 && value <= most)
        ? []
        : [new(field, FormattableString.Invariant($"is {value}; give a number above 0 and up to {most}, or 'auto'."))];
}

/// <summary>What a training run trains.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<TrainingMode>))]
public enum TrainingMode
{
    /// <summary>Language model and projector; the vision tower stays as it is.</summary>
    [JsonStringEnumMemberName("full")]
    Full,

    /// <summary>The projector alone.</summary>
    [JsonStringEnumMemberName("projector")]
    Projector,
}
