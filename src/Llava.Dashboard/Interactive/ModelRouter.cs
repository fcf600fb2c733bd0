using Llava.Contracts.Interactive;

namespace Llava.Dashboard.Interactive;

/// <summary>Finds who answers an interactive request: this process where it has the model, or the live consumer with the shortest queue.</summary>
/// <param name="consumers">The live consumers.</param>
/// <param name="own">The models of this process; null where it has none.</param>
internal sealed class ModelRouter(LiveConsumers consumers, IInteractiveModels? own = null)
{
    /// <inheritdoc cref="IInteractiveModels.ChatAsync"/>
    /// <returns>The chat once it is taken; until then it is refused by an exception.</returns>
    public Task<RunningChat> ChatAsync(ChatRequest request, CancellationToken cancellation) => own is null
        ? consumers.ChatAsync(request, cancellation)
        : OwnFirstAsync(() => RunningChat.StartAsync(own.ChatAsync(request, cancellation), cancellation), () => consumers.ChatAsync(request, cancellation));

    /// <inheritdoc cref="IInteractiveModels.EmbedAsync"/>
    public Task<EmbeddingAnswer> EmbedAsync(EmbeddingRequest request, CancellationToken cancellation) => own is null
        ? consumers.EmbedAsync(request, cancellation)
        : OwnFirstAsync(() => own.EmbedAsync(request, cancellation), () => consumers.EmbedAsync(request, cancellation));

    private static async Task<T> OwnFirstAsync<T>(Func<Task<T>> own, Func<Task<T>> others)
    {
        try
        {
            return await own();
        }
        catch (InteractiveException missing) when (missing.Error.Kind == InteractiveFailure.ModelNotFound)
        {
            return await others();
        }
    }
}
