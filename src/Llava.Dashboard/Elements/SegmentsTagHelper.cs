using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Razor.TagHelpers;

namespace Llava.Dashboard.Elements;

/// <summary>
/// <c>&lt;segments of="@list" total="@n" /&gt;</c>: a bar of coloured stretches that says in words what it shows. Drawn as SVG, because widths
/// as styles are not allowed here.
/// </summary>
[HtmlTargetElement("segments", TagStructure = TagStructure.NormalOrSelfClosing)]
public sealed class SegmentsTagHelper : TagHelper
{
    private const double Width = 1000;
    private const double Narrowest = 4;

    /// <summary>The stretches, from the left.</summary>
    public IReadOnlyList<Segment> Of { get; set; } = [];

    /// <summary>What the whole bar stands for; the rest stays empty.</summary>
    public long Total { get; set; }

    /// <summary>What it shows, in words; default the counts.</summary>
    public string? Label { get; set; }

    /// <inheritdoc/>
    public override void Process(TagHelperContext context, TagHelperOutput output)
    {
        var said = string.Join(", ", Of.Where(segment => segment.Count > 0).Select(segment => $"{Words.Count(segment.Count)} {segment.Name}"));
        output.TagName = "svg";
        output.TagMode = TagMode.StartTagAndEndTag;
        output.Attributes.SetAttribute("class", "segments");
        output.Attributes.SetAttribute("viewBox", "0 0 1000 8");
        output.Attributes.SetAttribute("preserveAspectRatio", "none");
        output.Attributes.SetAttribute("role", "img");
        output.Attributes.SetAttribute("aria-label", Label ?? (said.Length == 0 ? $"nothing of {Words.Count(Total)} yet" : $"{said} of {Words.Count(Total)}"));
        output.Content.SetHtmlContent(Draw());
    }

    private string Draw()
    {
        StringBuilder svg = new("<rect class=\"rest\" width=\"1000\" height=\"8\"></rect>");
        var left = 0.0;
        foreach (var segment in Of.Where(segment => segment.Count > 0))
        {
            // One failed item of a million must still be seen.
            var width = Math.Min(Width - left, Math.Max(Narrowest, Width * segment.Count / Math.Max(1, Total)));
            svg.Append(CultureInfo.InvariantCulture, $"<rect class=\"{HtmlEncoder.Default.Encode(segment.Name)}\" x=\"{left:0.##}\" width=\"{width:0.##}\" height=\"8\"></rect>");
            left += width;
        }

        return svg.ToString();
    }
}
