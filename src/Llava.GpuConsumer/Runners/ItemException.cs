using Llava.ModelCore;

namespace Llava.GpuConsumer.Runners;

/// <summary>One item cannot be answered, whatever is tried: its result is a failure with this code and message.</summary>
/// <param name="code">Short snake_case word that can be counted, such as <c>unreadable_image</c>.</param>
/// <param name="message">What could not be done, to which thing, and the next step.</param>
/// <param name="inner">The cause.</param>
public sealed class ItemException(string code, string message, Exception? inner = null) : LlavaException(message, isRetryable: false, inner)
{
    /// <summary>Short snake_case word that can be counted.</summary>
    public string Code { get; } = code;
}
