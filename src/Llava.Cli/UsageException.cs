namespace Llava.Cli;

/// <summary>What was typed cannot be done; the message says what would be right. Ends the process with <see cref="ExitCodes.Usage"/>.</summary>
internal sealed class UsageException(string message) : Exception(message);
