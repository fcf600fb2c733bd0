using System.Globalization;
using System.Security;
using System.Text;
using System.Text.Json.Nodes;

namespace Llava.Benchmarks.LlamaCpp.Plots;

/// <summary>Draws the ratios of a run as an SVG that reads on light and dark ground.</summary>
internal static class RatioPlot
{
    private const int Left = 250;
    private const int Width = 420;
    private const int Top = 48;
    private const int Bar = 16;
    private const int Row = 24;

    /// <summary>A bar for each case, as long as ours is faster; the line is where both are equally fast.</summary>
    /// <param name="lines">Lines of JSON of a run; those without a ratio to llama.cpp are left out.</param>
    public static string Svg(IEnumerable<string> lines)
    {
        var runs = lines.Select(line => JsonNode.Parse(line)!).Where(line => (string?)line["benchmark"] == "llama.cpp").ToArray();
        var figures = runs.Select(line => line["figures"]!).ToArray();
        var most = Math.Ceiling(figures.Max(RatioOf));
        var height = Top + (figures.Length * Row) + 30;
        var title = SecurityElement.Escape($"Speed by llama.cpp's, {runs[0]["processor"]}, {figures[0]["threads"]} threads, {runs[0]["date"]}");
        StringBuilder svg = new();
        svg.AppendLine(CultureInfo.InvariantCulture, $"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Left + Width + 60} {height}" font-family="system-ui, sans-serif" font-size="12" role="img" aria-label="{title}">""");
        svg.AppendLine("""<style>svg { background: #ffffff; color: #1f2328 } .bar { fill: #2f6fd0 } .grid { stroke: #d0d7de } .one { stroke: #8c959f } @media (prefers-color-scheme: dark) { svg { background: #0d1117; color: #e6edf3 } .bar { fill: #6ea8fe } .grid { stroke: #30363d } }</style>""");
        svg.AppendLine(CultureInfo.InvariantCulture, $"""<text x="16" y="22" fill="currentColor" font-size="14">{title}</text>""");
        for (var tick = 0; tick <= most; tick++)
        {
            var x = X(tick, most);
            svg.AppendLine(CultureInfo.InvariantCulture, $"""<path class="{(tick == 1 ? "one" : "grid")}" d="M{x:0.#} {Top - 6}V{height - 24}"/><text x="{x:0.#}" y="{height - 8}" text-anchor="middle" fill="currentColor">{tick}×</text>""");
        }

        for (var i = 0; i < figures.Length; i++)
        {
            var (ratio, y) = (RatioOf(figures[i]), Top + (i * Row));
            var name = SecurityElement.Escape($"{figures[i]["shape"]}, {figures[i]["case"]}, {figures[i]["weights"]}");
            svg.AppendLine(CultureInfo.InvariantCulture, $"""<text x="{Left - 8}" y="{y + 12}" text-anchor="end" fill="currentColor">{name}</text><rect class="bar" x="{Left}" y="{y}" width="{X(ratio, most) - Left:0.#}" height="{Bar}"/><text x="{X(ratio, most) + 6:0.#}" y="{y + 12}" fill="currentColor">{ratio:0.0#}×</text>""");
        }

        return svg.AppendLine("</svg>").ToString();
    }

    private static double RatioOf(JsonNode figures) => (double)figures["ratio"]!;

    private static double X(double ratio, double most) => Left + (Width * ratio / most);
}
