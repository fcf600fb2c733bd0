using System.Diagnostics.Metrics;

namespace Llava.ModelCore.Engine;

/// <summary>Metrics of preparation, which has no result of its own that could carry them to whoever reports.</summary>
internal static class PreparationMetrics
{
    /// <summary>Name of the meter; those who collect ask for <c>Llava.*</c>.</summary>
    public const string MeterName = "Llava.ModelCore";

    private static readonly Meter Meter = new(MeterName);

    /// <summary>Seconds from an encoded image to pixels of the vision tower's size; its count is that of the decoded images.</summary>
    public static Histogram<double> ImageDuration { get; } = Meter.CreateHistogram(
        "llava.image.decode.duration", "s", "Decoding, resizing and normalising one image",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5] });
}
