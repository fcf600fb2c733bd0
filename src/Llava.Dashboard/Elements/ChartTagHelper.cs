using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Razor.TagHelpers;

namespace Llava.Dashboard.Elements;

/// <summary>
/// <c>&lt;chart id="rate" of="@series" label="Throughput" /&gt;</c>: drawn here as SVG, so that it can be read without scripts, and by uPlot
/// (<c>charts.js</c>) over that, with axes and a cursor.
/// </summary>
[HtmlTargetElement("chart", TagStructure = TagStructure.NormalOrSelfClosing)]
public sealed class ChartTagHelper : TagHelper
{
    private const double Width = 600;
    private const double Height = 120;

    /// <summary>What is drawn.</summary>
    public TimeSeries Of { get; set; } = new([], []);

    /// <summary>What it shows, for those who do not see it.</summary>
    public string Label { get; set; } = "";

    /// <inheritdoc/>
    public override void Process(TagHelperContext context, TagHelperOutput output)
    {
        output.TagName = "figure";
        output.TagMode = TagMode.StartTagAndEndTag;
        output.Attributes.SetAttribute("class", "chart");
        output.Attributes.SetAttribute("role", "img");
        output.Attributes.SetAttribute("aria-label", $"{Label}: {Describe()}");
        output.Attributes.SetAttribute("data-chart", JsonSerializer.Serialize(new
        {
            x = Of.Moments,
            lines = Of.Lines.Select(line => new { name = line.Name, values = line.Values, own = line.OwnScale }),
        }));
        output.Content.SetHtmlContent(Of.Moments.Count > 1 ? Draw() : "<p class=\"empty\">No answers in this time.</p>");
    }

    private string Describe() => Of.Lines.Count == 0 || Of.Moments.Count == 0
        ? "nothing yet"
        : string.Join(", ", Of.Lines.Select(line => $"{line.Name} last {Words.Short(line.Values[^1] ?? 0)}, highest {Words.Short(line.Values.Max() ?? 0)}"));

    private string Draw()
    {
        StringBuilder svg = new("<svg viewBox=\"0 0 600 120\" preserveAspectRatio=\"none\">");
        var (first, last) = (Of.Moments[0], Of.Moments[^1]);
        for (var index = 0; index < Of.Lines.Count; index++)
        {
            var line = Of.Lines[index];
            var most = Math.Max(1e-9, line.Values.Max() ?? 0);
            svg.Append(CultureInfo.InvariantCulture, $"<polyline class=\"line-{index + 1}\" points=\"");
            for (var at = 0; at < Of.Moments.Count; at++)
            {
                svg.Append(CultureInfo.InvariantCulture, $"{(Of.Moments[at] - first) / Math.Max(1, last - first) * Width:0.#},{Height - ((line.Values[at] ?? 0) / most * (Height - 6)) - 2:0.#} ");
            }

            svg.Append("\"></polyline>");
        }

        svg.Append("</svg><figcaption>");
        svg.AppendJoin(" · ", Of.Lines.Select(line => HtmlEncoder.Default.Encode($"{line.Name}, highest {Words.Short(line.Values.Max() ?? 0)}")));
        return svg.Append("</figcaption>").ToString();
    }
}
