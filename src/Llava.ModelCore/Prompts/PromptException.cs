namespace Llava.ModelCore.Prompts;

/// <summary>A prompt cannot be put together or does not fit its images; never retryable.</summary>
public sealed class PromptException(string message) : LlavaException(message, isRetryable: false);
