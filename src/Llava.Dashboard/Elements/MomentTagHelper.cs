using System.Globalization;
using Microsoft.AspNetCore.Razor.TagHelpers;

namespace Llava.Dashboard.Elements;

/// <summary><c>&lt;moment at="@job.CreatedAt" /&gt;</c>: how long ago in plain words, the exact time as title; a dash where there is none.</summary>
[HtmlTargetElement("moment", TagStructure = TagStructure.NormalOrSelfClosing)]
public sealed class MomentTagHelper(TimeProvider time) : TagHelper
{
    /// <summary>The moment.</summary>
    public DateTimeOffset? At { get; set; }

    /// <inheritdoc/>
    public override void Process(TagHelperContext context, TagHelperOutput output)
    {
        output.TagMode = TagMode.StartTagAndEndTag;
        if (At is not { } at)
        {
            output.TagName = "span";
            output.Content.SetContent("–");
            return;
        }

        output.TagName = "time";
        output.Attributes.SetAttribute("datetime", at.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture));
        output.Attributes.SetAttribute("title", Words.Exact(at));
        output.Content.SetContent(Words.Ago(at, time.GetUtcNow()));
    }
}
