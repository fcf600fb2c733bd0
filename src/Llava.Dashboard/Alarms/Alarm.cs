namespace Llava.Dashboard.Alarms;

/// <summary>Something that somebody should look at.</summary>
/// <param name="Title">What is wrong, in a few words.</param>
/// <param name="Text">What that means, and what helps.</param>
/// <param name="IsGrave">Whether work stands still because of it.</param>
public sealed record Alarm(string Title, string Text, bool IsGrave = false);
