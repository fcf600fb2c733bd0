namespace Llava.ModelCore.Engine;

/// <summary>A request cannot be run by this engine, whatever its load. Thrown at submission.</summary>
/// <param name="code">Stable word for the cause, such as <c>prompt_too_long</c>.</param>
/// <param name="message">What is wrong, with the numbers.</param>
public sealed class RequestRefusedException(string code, string message) : LlavaException(message, isRetryable: false)
{
    /// <summary>Stable word for the cause: <c>prompt_too_long</c>, <c>image_count_mismatch</c>, <c>invalid_image</c>, <c>invalid_token</c> or <c>invalid_settings</c>.</summary>
    public string Code { get; } = code;
}

/// <summary>The waiting queue is full. Submit again later, or use the asynchronous submission, which waits.</summary>
public sealed class EngineBusyException(string message) : LlavaException(message, isRetryable: true);

/// <summary>The engine is stopping or stopped and takes no more requests.</summary>
public sealed class EngineStoppedException(string message) : LlavaException(message, isRetryable: true);

/// <summary>A step failed for this sequence; others were not affected. Part of the result, never thrown at the submitter.</summary>
public sealed class SequenceFailedException(string message, bool isRetryable, Exception? inner = null) : LlavaException(message, isRetryable, inner);

/// <summary>Options contradict each other or the model; the message lists all findings.</summary>
public sealed class EngineOptionsException(string message) : LlavaException(message, isRetryable: false);
