using Llava.ModelCore;

namespace Llava.Cli.Clients;

/// <summary>A server was not reached, refused, or answered what is no answer; the message says which server and what to check.</summary>
/// <param name="message">What was asked of which server, what came of it, and the next step.</param>
/// <param name="isRetryable">Whether the same may succeed later.</param>
/// <param name="inner">What the network said.</param>
public sealed class ServerException(string message, bool isRetryable, Exception? inner = null) : LlavaException(message, isRetryable, inner);
