using Microsoft.AspNetCore.Razor.TagHelpers;

namespace Llava.Dashboard.Elements;

/// <summary><c>&lt;state of="running" /&gt;</c>: a state as a word with its colour and shape; jobs, items, parts, files and consumers all use it.</summary>
[HtmlTargetElement("state", TagStructure = TagStructure.NormalOrSelfClosing)]
public sealed class StateTagHelper : TagHelper
{
    /// <summary>The state's word, such as <c>running</c>.</summary>
    public string Of { get; set; } = "";

    /// <summary>What is written instead of the state's own word; null for that.</summary>
    public string? Word { get; set; }

    /// <inheritdoc/>
    public override void Process(TagHelperContext context, TagHelperOutput output)
    {
        output.TagName = "span";
        output.TagMode = TagMode.StartTagAndEndTag;
        output.Attributes.SetAttribute("class", $"state {ToneOf(Of)}");
        output.Content.SetContent((Word ?? Of).Replace('_', ' '));
    }

    /// <summary>The colour of a state: <c>good</c>, <c>bad</c>, <c>busy</c>, <c>warn</c> or <c>calm</c>.</summary>
    internal static string ToneOf(string state) => state switch
    {
        "completed" or "succeeded" or "healthy" or "loaded" or "live" or "accepted" or "edited" or "active" or "delivered" => "good",
        "failed" or "unhealthy" or "silent" or "rejected" or "revoked" or "dead" => "bad",
        "running" or "finalizing" or "loading" or "validating" or "validating_files" or "reading" or "pending" => "busy",
        "paused" or "degraded" or "draining" or "expired" or "cancelling" => "warn",
        _ => "calm",
    };
}
