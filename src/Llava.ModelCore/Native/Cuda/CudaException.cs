namespace Llava.ModelCore.Native.Cuda;

/// <summary>CUDA cannot be used, or a call of it failed. The message says what to do; the CPU always serves.</summary>
public sealed class CudaException(string message, Exception? inner = null) : LlavaException(message, isRetryable: false, inner);
