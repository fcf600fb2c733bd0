using System.Globalization;
using System.Text.Json;
using Llava.Ledger.Training;

namespace Llava.Dashboard.OpenAi.FineTuning;

/// <summary>An event of a job, in OpenAI's words.</summary>
/// <param name="Id">Its id, from which the event's number can be read.</param>
/// <param name="CreatedAt">When, in Unix seconds.</param>
/// <param name="Level"><c>info</c>, <c>warn</c> or <c>error</c>.</param>
/// <param name="Message">What happened.</param>
/// <param name="Type"><c>message</c> or <c>metrics</c>.</param>
/// <param name="Data">The metrics; empty for a message.</param>
internal sealed record FineTuningEventObject(string Id, long CreatedAt, string Level, string Message, string Type, JsonElement Data)
{
    private static readonly JsonElement Nothing = JsonElement.Parse("{}");

    public string Object { get; } = "fine_tuning.job.event";

    public static FineTuningEventObject Of(string job, TrainingEvent happened) => new(
        HistoryIds.Write("ftevent-", job, happened.Number),
        happened.CreatedAt.ToUnixTimeSeconds(),
        happened.Level.ToString().ToLowerInvariant(),
        happened.Message,
        happened.Data is null ? "message" : "metrics",
        happened.Data is null ? Nothing : JsonElement.Parse(happened.Data));
}

/// <summary>A training checkpoint of a job, in OpenAI's words.</summary>
internal sealed record FineTuningCheckpointObject(
    string Id, long CreatedAt, string FineTunedModelCheckpoint, int StepNumber, CheckpointMetrics Metrics, string FineTuningJobId)
{
    public string Object { get; } = "fine_tuning.job.checkpoint";

    public static FineTuningCheckpointObject Of(TrainingRunRecord run, TrainingCheckpointRecord checkpoint) => new(
        HistoryIds.Write("ftckpt_", run.Id, checkpoint.Step),
        checkpoint.CreatedAt.ToUnixTimeSeconds(),
        TrainingCheckpointRecord.ModelName(run.Model, checkpoint.Step),
        checkpoint.Step,
        new(checkpoint.Step, checkpoint.Loss, checkpoint.Accuracy, checkpoint.ValidLoss, checkpoint.ValidAccuracy),
        run.Id);
}

/// <summary>What a checkpoint came to. The validation file is always measured as a whole.</summary>
internal sealed record CheckpointMetrics(int Step, double TrainLoss, double TrainMeanTokenAccuracy, double? FullValidLoss, double? FullValidMeanTokenAccuracy)
{
    public double? ValidLoss => FullValidLoss;

    public double? ValidMeanTokenAccuracy => FullValidMeanTokenAccuracy;
}

/// <summary>Ids of what a job has many of: its own digits, and the number.</summary>
internal static class HistoryIds
{
    private const int NumberDigits = 8;

    public static string Write(string prefix, string job, int number) =>
        string.Create(CultureInfo.InvariantCulture, $"{prefix}{job[(job.IndexOf('-', StringComparison.Ordinal) + 1)..]}{number:x8}");

    /// <summary>The number in an id; null for a page that has none before it.</summary>
    /// <exception cref="OpenAiException">It is no such id.</exception>
    public static int? Read(string? id) =>
        id is null ? null
        : id.Length > NumberDigits && int.TryParse(id.AsSpan(id.Length - NumberDigits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number) ? number
        : throw OpenAiException.Invalid("invalid_value", $"'after' is '{id}'; give the id of the last one of the page before.", "after");
}
