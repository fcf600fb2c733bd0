using Llava.Dashboard.Elements;
using Llava.Ledger.Training;

namespace Llava.Dashboard.Training;

/// <summary>The curves of runs, over optimizer steps.</summary>
internal static class TrainingCharts
{
    private const int MostPoints = 400;

    /// <summary>Loss of the steps and of the validation file.</summary>
    public static TimeSeries Loss(IReadOnlyList<TrainingMetric> metrics) => Of(metrics, ("training loss", step => step.Loss, false), ("validation loss", step => step.ValidLoss, false));

    /// <summary>Token accuracy in percent, of the steps and of the validation file.</summary>
    public static TimeSeries Accuracy(IReadOnlyList<TrainingMetric> metrics) =>
        Of(metrics, ("training accuracy, %", step => step.Accuracy * 100, false), ("validation accuracy, %", step => step.ValidAccuracy * 100, false));

    /// <summary>Learning rate, and beside it the norm of the gradient.</summary>
    public static TimeSeries Rate(IReadOnlyList<TrainingMetric> metrics) => Of(metrics, ("learning rate", step => step.LearningRate, false), ("gradient norm", step => step.GradientNorm, true));

    /// <summary>Tokens per second.</summary>
    public static TimeSeries Speed(IReadOnlyList<TrainingMetric> metrics) => Of(metrics, ("tokens/s", step => step.TokensPerSecond, false));

    /// <summary>The same curve of several runs, one over the other.</summary>
    /// <param name="runs">Their names and steps.</param>
    /// <param name="value">What is drawn; null for a gap.</param>
    public static TimeSeries Compare(IReadOnlyList<(string Name, IReadOnlyList<TrainingMetric> Metrics)> runs, Func<TrainingMetric, double?> value)
    {
        var steps = Thin([.. runs.SelectMany(run => run.Metrics).Select(metric => metric.Step).Distinct().Order()]);
        return new(
            [.. steps.Select(step => (double)step)],
            [.. runs.Select(run =>
            {
                var values = run.Metrics.ToDictionary(metric => metric.Step, value);
                return new SeriesLine(run.Name, [.. steps.Select(step => values.GetValueOrDefault(step))]);
            })]);
    }

    private static TimeSeries Of(IReadOnlyList<TrainingMetric> metrics, params (string Name, Func<TrainingMetric, double?> Value, bool OwnScale)[] lines)
    {
        var shown = Thin(metrics);
        return new(
            [.. shown.Select(metric => (double)metric.Step)],
            [.. lines.Select(line => new SeriesLine(line.Name, Joined([.. shown.Select(line.Value)]), line.OwnScale)).Where(line => line.Values.Any(value => value is not null))]);
    }

    /// <summary>What is measured now and then is drawn as a line through what was measured.</summary>
    private static List<double?> Joined(List<double?> values)
    {
        var before = -1;
        for (var at = 0; at < values.Count; at++)
        {
            if (values[at] is not { } value)
            {
                continue;
            }

            for (var between = before + 1; before >= 0 && between < at; between++)
            {
                values[between] = values[before] + ((value - values[before]) * (between - before) / (at - before));
            }

            before = at;
        }

        return values;
    }

    /// <summary>No more than a screen can show, the last one always.</summary>
    private static IReadOnlyList<T> Thin<T>(IReadOnlyList<T> all)
    {
        var every = (all.Count + MostPoints - 1) / MostPoints;
        return every <= 1 ? all : [.. all.Where((_, index) => index % every == 0 || index == all.Count - 1)];
    }
}
