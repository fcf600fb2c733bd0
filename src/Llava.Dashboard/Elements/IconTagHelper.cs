using Microsoft.AspNetCore.Razor.TagHelpers;

namespace Llava.Dashboard.Elements;

/// <summary><c>&lt;icon name="jobs" /&gt;</c>: a drawing of <c>Assets/icons.svg</c> in the colour of the text. Words stand beside it, so it is hidden from screen readers.</summary>
[HtmlTargetElement("icon", TagStructure = TagStructure.NormalOrSelfClosing)]
public sealed class IconTagHelper : TagHelper
{
    /// <summary>The drawing's id.</summary>
    public string Name { get; set; } = "";

    /// <inheritdoc/>
    public override void Process(TagHelperContext context, TagHelperOutput output)
    {
        output.TagName = "svg";
        output.TagMode = TagMode.StartTagAndEndTag;
        output.Attributes.SetAttribute("class", "icon");
        output.Attributes.SetAttribute("aria-hidden", "true");
        output.Content.SetHtmlContent($"<use href=\"{Assets.Url("icons.svg")}#{Uri.EscapeDataString(Name)}\"></use>");
    }
}
