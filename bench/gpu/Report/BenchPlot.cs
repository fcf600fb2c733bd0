using System.Globalization;
using System.Security;
using System.Text;
using System.Text.Json.Nodes;

namespace Llava.Benchmarks.Gpu.Report;

/// <summary>Images and samples a second of both sides as an SVG that reads on light and dark ground.</summary>
internal static class BenchPlot
{
    private const int Left = 170;
    private const int Width = 480;
    private const int Top = 56;
    private const int Bar = 14;
    private const int Row = 42;

    /// <summary>Two bars for each model and length, and for each form of training; where theirs was not measured, one.</summary>
    public static string Svg(IReadOnlyList<JsonNode> lines)
    {
        (string Label, double Ours, double? Theirs)[] rows =
        [
            .. BenchRatio.Of(lines).Select(row => ($"{row.Model}, {row.Tokens} tokens", row.ImagesPerSecond, row.Baseline)),
            .. TrainingRatio.Of(lines).Select(row => ($"{row.Model}, training, {row.Form}", row.SamplesPerSecond, row.Baseline)),
        ];
        var most = rows.Max(row => Math.Max(row.Ours, row.Theirs ?? 0));
        var environment = lines.FirstOrDefault(line => (string?)line["benchmark"] == "environment");
        var title = SecurityElement.Escape($"Images and samples a second, ours and transformers', {(string?)environment?["figures"]?["devices"]?.AsArray().FirstOrDefault() ?? "no device"}, {environment?["date"]}");
        var height = Top + (rows.Length * Row) + 12;
        StringBuilder svg = new();
        svg.AppendLine(CultureInfo.InvariantCulture, $"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Left + Width + 130} {height}" font-family="system-ui, sans-serif" font-size="12" role="img" aria-label="{title}">""");
        svg.AppendLine("""<style>svg { background: #ffffff; color: #1f2328 } .ours { fill: #2f6fd0 } .theirs { fill: #8c959f } @media (prefers-color-scheme: dark) { svg { background: #0d1117; color: #e6edf3 } .ours { fill: #6ea8fe } .theirs { fill: #656d76 } }</style>""");
        svg.AppendLine(CultureInfo.InvariantCulture, $"""<text x="16" y="24" fill="currentColor" font-size="14">{title}</text>""");
        for (var i = 0; i < rows.Length; i++)
        {
            var (row, y) = (rows[i], Top + (i * Row));
            svg.AppendLine(CultureInfo.InvariantCulture, $"""<text x="{Left - 8}" y="{y + 18}" text-anchor="end" fill="currentColor">{SecurityElement.Escape(row.Label)}</text>""");
            Draw("ours", row.Ours, y, row.Theirs is { } theirs ? $"{row.Ours:0.0} ({row.Ours / theirs:0.0}×)" : $"{row.Ours:0.0}");
            if (row.Theirs is { } baseline)
            {
                Draw("theirs", baseline, y + Bar + 2, $"{baseline:0.0}");
            }
        }

        return svg.AppendLine("</svg>").ToString();

        void Draw(string side, double value, int y, string text) => svg.AppendLine(CultureInfo.InvariantCulture,
            $"""<rect class="{side}" x="{Left}" y="{y}" width="{Width * value / most:0.#}" height="{Bar}"/><text x="{Left + (Width * value / most) + 6:0.#}" y="{y + 11}" fill="currentColor">{text}</text>""");
    }
}
