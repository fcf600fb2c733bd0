namespace Llava.ModelCore;

/// <summary>A failure that says what could not be done, to which thing, and whether trying again can help.</summary>
public abstract class LlavaException(string message, bool isRetryable, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Whether the same call may succeed later.</summary>
    public bool IsRetryable { get; } = isRetryable;
}
