using System.Text.Json.Serialization;

namespace Llava.Contracts.Requests;

/// <summary>How a training run learns. What is null is chosen once its files were read (<c>auto</c> in OpenAI's words).</summary>
public sealed record TrainingSettings
{
    /// <summary>What is trained.</summary>
    public TrainingMode Mode { get; init; }

    /// <summary>The adapter of the modes that train one; null for the usual one.</summary>
    public AdapterSettings? Lora { get; init; }

    /// <summary>How weights follow their gradients.</summary>
    public TrainingOptimizer Optimizer { get; init; }

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
        .. Lora is not null && Mode is not (TrainingMode.Lora or TrainingMode.QLora) ? [new Finding("lora", "is given, but only the modes 'lora' and 'qlora' train an adapter.")] : Array.Empty<Finding>(),
        .. Within("lora.r", Lora?.Rank, 1, 1024),
        .. Positive("lora.alpha", Lora?.Alpha, 100_000),
        .. Lora?.Dropout is null or (>= 0 and < 1) ? [] : new[] { new Finding("lora.dropout", FormattableString.Invariant($"is {Lora.Dropout}; give a number from 0 to below 1.")) },
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

    /// <summary>A low-rank adapter beside the language model's weights, and the projector.</summary>
    [JsonStringEnumMemberName("lora")]
    Lora,

    /// <summary>As <see cref="Lora"/>, the weights beside the adapter in 4 bits (NF4).</summary>
    [JsonStringEnumMemberName("qlora")]
    QLora,

    /// <summary>LLaVA's first stage: a new projector between a vision tower and a plain language model, from images with their captions.</summary>
    [JsonStringEnumMemberName("alignment")]
    Alignment,
}

/// <summary>How weights follow their gradients.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<TrainingOptimizer>))]
public enum TrainingOptimizer
{
    /// <summary>AdamW, its two moments in float32.</summary>
    [JsonStringEnumMemberName("adamw")]
    AdamW,

    /// <summary>AdamW, its moments in 8 bits: a quarter of that memory.</summary>
    [JsonStringEnumMemberName("adamw8bit")]
    AdamW8Bit,

    /// <summary>Adafactor: next to no memory, and another way to learn.</summary>
    [JsonStringEnumMemberName("adafactor")]
    Adafactor,
}

/// <summary>A low-rank adapter. What is null is the usual: rank 64, twice the rank, 0.05.</summary>
public sealed record AdapterSettings
{
    /// <summary>Width between the factors, 1 to 1024.</summary>
    public int? Rank { get; init; }

    /// <summary>Strength; the adapter is scaled by alpha / rank.</summary>
    public double? Alpha { get; init; }

    /// <summary>Share of an adapter's inputs that are left out while training, 0 to below 1.</summary>
    public double? Dropout { get; init; }
}
