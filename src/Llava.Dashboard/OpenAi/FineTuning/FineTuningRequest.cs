using System.Text.Json;
using System.Text.Json.Serialization;

namespace Llava.Dashboard.OpenAi.FineTuning;

/// <summary>Body of <c>POST /fine_tuning/jobs</c>; what it leaves out is null.</summary>
internal sealed record FineTuningRequest
{
    public string? Model { get; init; }

    public string? TrainingFile { get; init; }

    public string? ValidationFile { get; init; }

    public string? Suffix { get; init; }

    public JsonElement? Seed { get; init; }

    public JsonElement? Metadata { get; init; }

    /// <summary>The newer form: <c>{"type": "supervised", "supervised": {"hyperparameters": …}}</c>.</summary>
    public FineTuningMethod? Method { get; init; }

    /// <summary>The older form.</summary>
    public JsonElement? Hyperparameters { get; init; }

    public JsonElement? Integrations { get; init; }

    // What OpenAI does not have; its libraries pass it through.
    public string? Mode { get; init; }

    public string? Optimizer { get; init; }

    public int? Priority { get; init; }

    public JsonElement? LearningRate { get; init; }

    public JsonElement? MaxSteps { get; init; }

    public JsonElement? SaveEvery { get; init; }

    public JsonElement? EvalEvery { get; init; }

    public JsonElement? Lora { get; init; }

    /// <summary>Id of a job: this one waits until that has succeeded, and starts from its model.</summary>
    public string? After { get; init; }

    /// <summary>A name that the model is to take over once it has shown that it is good enough.</summary>
    public JsonElement? Promotion { get; init; }

    public JsonElement? Schedule { get; init; }

    public JsonElement? ResumeFrom { get; init; }
}

/// <summary>How is learned.</summary>
internal sealed record FineTuningMethod
{
    public string? Type { get; init; }

    public SupervisedMethod? Supervised { get; init; }
}

/// <summary>Learning from examples.</summary>
internal sealed record SupervisedMethod
{
    public JsonElement? Hyperparameters { get; init; }
}

/// <summary>Hyperparameters as they are answered: a number, or <c>auto</c> while it is not chosen yet.</summary>
internal sealed record HyperparametersObject(JsonElement NEpochs, JsonElement BatchSize, JsonElement LearningRateMultiplier)
{
    /// <summary>The rate that the multiplier comes to; null while it is not chosen yet.</summary>
    public double? LearningRate { get; init; }

    public int? MaxSteps { get; init; }

    public int? SaveEvery { get; init; }

    public int? EvalEvery { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(FineTuningRequest))]
[JsonSerializable(typeof(FineTuningObject))]
[JsonSerializable(typeof(OpenAiPage<FineTuningObject>))]
[JsonSerializable(typeof(OpenAiPage<FineTuningEventObject>))]
[JsonSerializable(typeof(OpenAiPage<FineTuningCheckpointObject>))]
internal sealed partial class FineTuningJson : JsonSerializerContext;
