using System.Globalization;
using System.Security;
using System.Text;

namespace Llava.ModelCore.Evaluation;

/// <summary>Draws a reliability curve as an SVG that reads on light and dark ground.</summary>
public static class ReliabilityDiagram
{
    private const int Side = 360;
    private const int Margin = 56;

    /// <summary>The drawing: a bar for each bin, the diagonal where the model would be as often right as it says, and how many answers each bin has.</summary>
    /// <param name="curve">The curve.</param>
    /// <param name="title">What was measured.</param>
    public static string Svg(ReliabilityCurve curve, string title)
    {
        var svg = new StringBuilder();
        title = SecurityElement.Escape(title);
        var (width, height) = (Side + (2 * Margin), Side + (2 * Margin));
        svg.AppendLine(CultureInfo.InvariantCulture, $"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="system-ui, sans-serif" font-size="12" role="img" aria-label="{title}">""");
        svg.AppendLine("""<style>svg { background: #ffffff; color: #1f2328 } .bar { fill: #2f6fd0 } .grid { stroke: #d0d7de } .ideal { stroke: #8c959f } @media (prefers-color-scheme: dark) { svg { background: #0d1117; color: #e6edf3 } .bar { fill: #6ea8fe } .grid { stroke: #30363d } }</style>""");
        svg.AppendLine(CultureInfo.InvariantCulture, $"""<text x="{Margin}" y="24" fill="currentColor" font-size="14">{title}</text>""");
        svg.AppendLine(CultureInfo.InvariantCulture, $"""<text x="{Margin}" y="42" fill="currentColor">{curve.Answers} answers, {curve.Accuracy:P1} right, expected calibration error {curve.ExpectedCalibrationError:P2}</text>""");
        for (var tick = 0; tick <= 10; tick += 2)
        {
            var (x, y) = (X(tick / 10.0), Y(tick / 10.0));
            svg.AppendLine(CultureInfo.InvariantCulture, $"""<path class="grid" d="M{X(0)} {y}H{X(1)}"/><text x="{Margin - 8}" y="{y + 4}" text-anchor="end" fill="currentColor">{tick / 10.0:0.0}</text><text x="{x}" y="{Y(0) + 18}" text-anchor="middle" fill="currentColor">{tick / 10.0:0.0}</text>""");
        }

        foreach (var bin in curve.Bins)
        {
            svg.AppendLine(CultureInfo.InvariantCulture, $"""<rect class="bar" x="{X(bin.From) + 2:0.#}" y="{Y(bin.Accuracy):0.#}" width="{(Side / 10.0) - 4:0.#}" height="{Y(0) - Y(bin.Accuracy):0.#}"/><text x="{X(bin.From) + (Side / 20.0):0.#}" y="{Y(bin.Accuracy) - 4:0.#}" text-anchor="middle" font-size="10" fill="currentColor">{bin.Answers}</text>""");
        }

        svg.AppendLine(CultureInfo.InvariantCulture, $"""<path class="ideal" stroke-dasharray="4 4" d="M{X(0)} {Y(0)}L{X(1)} {Y(1)}"/>""");
        svg.AppendLine(CultureInfo.InvariantCulture, $"""<text x="{X(0.5)}" y="{Y(0) + 38}" text-anchor="middle" fill="currentColor">confidence</text><text transform="translate(16 {Y(0.5)}) rotate(-90)" text-anchor="middle" fill="currentColor">share of right answers</text>""");
        return svg.AppendLine("</svg>").ToString();
    }

    private static double X(double share) => Margin + (Side * share);

    private static double Y(double share) => Margin + (Side * (1 - share));
}
