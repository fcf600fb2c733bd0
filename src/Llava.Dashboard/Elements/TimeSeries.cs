namespace Llava.Dashboard.Elements;

/// <summary>Values over time, for a chart.</summary>
/// <param name="Moments">Unix seconds, ascending.</param>
/// <param name="Lines">What is drawn over them.</param>
public sealed record TimeSeries(IReadOnlyList<double> Moments, IReadOnlyList<SeriesLine> Lines);

/// <summary>One line of a chart.</summary>
/// <param name="Name">What it is, such as <c>items/s</c>.</param>
/// <param name="Values">A value, or null for a gap, for each moment.</param>
/// <param name="OwnScale">Whether it is measured on the right-hand axis.</param>
public sealed record SeriesLine(string Name, IReadOnlyList<double?> Values, bool OwnScale = false);
