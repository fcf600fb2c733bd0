namespace Llava.Contracts.Interactive;

/// <summary>Models that answer while somebody waits: those of this process, or of others behind their endpoints.</summary>
public interface IInteractiveModels
{
    /// <summary>Answers a conversation; whoever stops reading ends it.</summary>
    /// <exception cref="InteractiveException">It came to nothing, at the start or in the middle.</exception>
    IAsyncEnumerable<ChatEvent> ChatAsync(ChatRequest request, CancellationToken cancellation);

    /// <summary>Turns images into vectors.</summary>
    /// <exception cref="InteractiveException">It came to nothing.</exception>
    Task<EmbeddingAnswer> EmbedAsync(EmbeddingRequest request, CancellationToken cancellation);
}
