namespace Llava.ModelCore.Native.Shim;

/// <summary>libtorch refused a call of its stable interface. What it says about it is on the process's standard error.</summary>
internal sealed class ShimException(string message) : LlavaException(message, isRetryable: false);
