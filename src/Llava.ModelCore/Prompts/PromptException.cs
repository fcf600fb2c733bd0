namespace Llava.ModelCore.Prompts;

/// <summary>A prompt cannot be put together; never retryable.</summary>
public sealed class PromptException(string message) : LlavaException(message, isRetryable: false);
