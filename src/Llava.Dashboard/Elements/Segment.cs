namespace Llava.Dashboard.Elements;

/// <summary>A stretch of a bar.</summary>
/// <param name="Name">What it stands for, such as <c>failed</c>; also its style.</param>
/// <param name="Count">How long it is.</param>
public sealed record Segment(string Name, long Count);
