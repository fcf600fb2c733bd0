using System.Diagnostics.Metrics;

namespace Llava.Contracts.Telemetry;

/// <summary>Bounds of the histograms' buckets: few, because each is a series for each model.</summary>
public static class Buckets
{
    /// <summary>For seconds: from a commit on a fast disk to an item that waits behind a long queue.</summary>
    public static InstrumentAdvice<double> Seconds { get; } = new() { HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300] };

    /// <summary>For numbers of things in a group.</summary>
    public static InstrumentAdvice<int> Sizes { get; } = new() { HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048] };
}
