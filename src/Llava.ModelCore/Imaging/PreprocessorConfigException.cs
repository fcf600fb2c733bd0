namespace Llava.ModelCore.Imaging;

/// <summary>A <c>preprocessor_config.json</c> cannot be used; never retryable.</summary>
public sealed class PreprocessorConfigException(string message, Exception? inner = null) : LlavaException(message, isRetryable: false, inner);
