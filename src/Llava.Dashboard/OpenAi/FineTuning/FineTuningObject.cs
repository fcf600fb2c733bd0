using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Ledger.Training;

namespace Llava.Dashboard.OpenAi.FineTuning;

/// <summary>A training run in OpenAI's words. All its keys are always there: OpenAI's library for .NET reads most without looking.</summary>
internal sealed record FineTuningObject
{
    public required string Id { get; init; }

    public string Object { get; } = "fine_tuning.job";

    public required string Model { get; init; }

    public required long CreatedAt { get; init; }

    public required long? FinishedAt { get; init; }

    public required string? FineTunedModel { get; init; }

    public required string OrganizationId { get; init; }

    /// <summary>In OpenAI's words, which have none for a job that is paused or waits for another.</summary>
    public required string Status { get; init; }

    public required string TrainingFile { get; init; }

    public required string? ValidationFile { get; init; }

    public required IReadOnlyList<string> ResultFiles { get; init; }

    public required HyperparametersObject Hyperparameters { get; init; }

    public required MethodObject Method { get; init; }

    public required int? TrainedTokens { get; init; }

    public required int Seed { get; init; }

    public required long? EstimatedFinish { get; init; }

    public IReadOnlyList<string> Integrations { get; } = [];

    public required FineTuningError? Error { get; init; }

    public required IReadOnlyDictionary<string, string>? Metadata { get; init; }

    public required string? UserProvidedSuffix { get; init; }

    /// <summary>The state in our words.</summary>
    [JsonPropertyName("x_state")]
    public required string State { get; init; }

    [JsonPropertyName("x_mode")]
    public required TrainingMode Mode { get; init; }

    /// <summary>The job whose model this one starts from; null where it waits for none.</summary>
    [JsonPropertyName("x_after")]
    public required string? After { get; init; }

    [JsonPropertyName("x_priority")]
    public required int Priority { get; init; }

    [JsonPropertyName("x_progress")]
    public required ProgressObject Progress { get; init; }

    /// <summary>Rows that are wrong or were left out.</summary>
    [JsonPropertyName("x_findings")]
    public required IReadOnlyList<RowFinding> Findings { get; init; }

    public static FineTuningObject Of(TrainingRunRecord run) => new()
    {
        Id = run.Id,
        Model = run.Request.Model,
        CreatedAt = run.CreatedAt.ToUnixTimeSeconds(),
        FinishedAt = run.FinishedAt?.ToUnixTimeSeconds(),
        FineTunedModel = run.State == TrainingRunState.Succeeded ? run.Model : null,
        OrganizationId = run.Request.Tenant,
        Status = (run.State is TrainingRunState.Waiting or TrainingRunState.Paused ? TrainingRunState.Queued : run.State).WireName(),
        TrainingFile = run.Request.TrainingFile,
        ValidationFile = run.Request.ValidationFile,
        ResultFiles = run.ResultFile is { } file ? [file] : [],
        Hyperparameters = HyperparametersOf(run),
        Method = new("supervised", new(HyperparametersOf(run))),
        TrainedTokens = run.TrainedTokens == 0 ? null : (int)Math.Min(run.TrainedTokens, int.MaxValue),
        Seed = run.Request.Seed,
        EstimatedFinish = run.State == TrainingRunState.Running ? run.EstimatedFinish?.ToUnixTimeSeconds() : null,
        Error = run.Failure is { } failure ? new(failure.Code, failure.Message, failure.Param) : null,
        Metadata = run.Request.Metadata,
        UserProvidedSuffix = run.Request.Suffix,
        State = run.State.WireName(),
        Mode = run.Request.Settings.Mode,
        After = run.Request.After,
        Priority = run.Request.Priority,
        Progress = new(run.Step, run.Steps),
        Findings = run.Findings,
    };

    private static HyperparametersObject HyperparametersOf(TrainingRunRecord run)
    {
        var settings = run.Resolved ?? run.Request.Settings;
        return new(OrAuto(settings.Epochs), OrAuto(settings.BatchSize), OrAuto(settings.LearningRateMultiplier))
        {
            LearningRate = settings.LearningRate,
            MaxSteps = settings.MaxSteps,
            SaveEvery = settings.SaveEvery,
            EvalEvery = settings.EvalEvery,
        };
    }

    private static JsonElement OrAuto<T>(T? value)
        where T : struct, IFormattable => JsonElement.Parse(value?.ToString(null, CultureInfo.InvariantCulture) ?? "\"auto\"");
}

/// <summary>How is learned.</summary>
internal sealed record MethodObject(string Type, SupervisedObject Supervised);

/// <summary>Learning from examples.</summary>
internal sealed record SupervisedObject(HyperparametersObject Hyperparameters);

/// <summary>Why a job failed.</summary>
internal sealed record FineTuningError(string Code, string Message, string? Param);

/// <summary>How far a job is.</summary>
/// <param name="Step">Optimizer steps done.</param>
/// <param name="Steps">Optimizer steps of the whole job; null until its files were read.</param>
internal sealed record ProgressObject(int Step, int? Steps);
