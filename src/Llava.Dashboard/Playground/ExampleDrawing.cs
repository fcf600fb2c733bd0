namespace Llava.Dashboard.Playground;

/// <summary>One shape on a plain ground, 160 pixels wide and high, drawn by the page itself.</summary>
/// <param name="Shape"><c>circle</c>, <c>square</c> or <c>triangle</c>.</param>
/// <param name="Color">Its colour, as the page's canvas knows it.</param>
/// <param name="Ground">The colour behind it.</param>
/// <param name="X">Its centre, from the left.</param>
/// <param name="Y">Its centre, from the top.</param>
/// <param name="Question">What to ask about it.</param>
internal sealed record ExampleDrawing(string Shape, string Color, string Ground, int X, int Y, string Question);
