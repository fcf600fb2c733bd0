using System.Globalization;
using System.Text.Json;
using Llava.Contracts.Requests;

namespace Llava.Ledger.Training;

/// <summary>A step as an event says it, in OpenAI's words.</summary>
internal static class TrainingMetricText
{
    public static string Describe(TrainingMetric metric, int steps)
    {
        var valid = metric.ValidLoss is { } loss ? string.Create(CultureInfo.InvariantCulture, $", full validation loss={loss:0.00}") : "";
        var waited = metric.Waited > TimeSpan.Zero ? string.Create(CultureInfo.InvariantCulture, $", waited {metric.Waited.TotalSeconds:0.0} s for more urgent work") : "";
        return string.Create(CultureInfo.InvariantCulture, $"Step {metric.Step}/{steps}: training loss={metric.Loss:0.00}{valid}{waited}");
    }

    public static string Json(TrainingMetric metric, int steps) => JsonSerializer.Serialize(
        new Data(metric.Step, metric.Loss, steps, metric.Accuracy, metric.ValidLoss, metric.ValidAccuracy, metric.LearningRate, metric.TokensPerSecond, metric.Waited > TimeSpan.Zero ? metric.Waited.TotalSeconds : null), RequestJson.Options);

    private sealed record Data(
        int Step, double TrainLoss, int TotalSteps, double TrainMeanTokenAccuracy, double? FullValidLoss, double? FullValidMeanTokenAccuracy, double LearningRate, double TokensPerSecond, double? WaitedSeconds);
}
