namespace Llava.Contracts.Requests;

/// <summary>One rule that a request breaks.</summary>
/// <param name="Field">Field as it is spelled in JSON, such as <c>generation.top_p</c>.</param>
/// <param name="Message">What is wrong, with the value, and what would be right.</param>
public sealed record Finding(string Field, string Message);
