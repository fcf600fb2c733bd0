using Llava.Contracts.Interactive;

namespace Llava.GpuConsumer.Runners;

/// <summary>Answers conversations with one loaded model, in the same batch as items and ahead of them.</summary>
public interface IChatRunner
{
    /// <summary>Answers a conversation: <see cref="ChatStarted"/> once it is taken, then its parts. Whoever stops reading ends it.</summary>
    /// <exception cref="InteractiveException">It cannot be answered.</exception>
    IAsyncEnumerable<ChatEvent> ChatAsync(ChatRequest request, CancellationToken cancellation);

    /// <summary>Turns images into vectors.</summary>
    /// <exception cref="InteractiveException">It cannot be done.</exception>
    Task<EmbeddingAnswer> EmbedAsync(EmbeddingRequest request, CancellationToken cancellation);
}
