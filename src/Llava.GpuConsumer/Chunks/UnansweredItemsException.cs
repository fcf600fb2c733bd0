using Llava.ModelCore;

namespace Llava.GpuConsumer.Chunks;

/// <summary>Items of a chunk failed, and nothing says that it was the items' fault; the rest of the chunk is recorded.</summary>
/// <param name="failures">What was thrown, one for each item.</param>
/// <param name="count">Items that were tried.</param>
public sealed class UnansweredItemsException(IReadOnlyList<Exception> failures, int count)
    : LlavaException($"{failures.Count} of {count} items could not be answered; the first said: {failures[0].Message}", isRetryable: true, failures[0]);
