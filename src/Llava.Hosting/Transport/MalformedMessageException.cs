namespace Llava.Hosting.Transport;

/// <summary>A message of the right type says something that no sender of ours would: it is set aside and not tried again.</summary>
/// <param name="message">Which field is wrong, its value, and what would be right.</param>
public sealed class MalformedMessageException(string message) : Exception(message);
