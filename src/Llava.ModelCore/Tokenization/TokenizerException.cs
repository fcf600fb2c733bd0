namespace Llava.ModelCore.Tokenization;

/// <summary>A tokenizer's files cannot be used; never retryable.</summary>
public sealed class TokenizerException(string message, Exception? inner = null) : LlavaException(message, isRetryable: false, inner);
