using System.Runtime.CompilerServices;
using Llava.Contracts.Interactive;

namespace Llava.GpuConsumer.Runners;

/// <summary>Says the last turn back, word by word and at the null model's pace: measures the way to a model and back without one.</summary>
internal sealed class NullChatRunner(string revision, TimeSpan latency) : IChatRunner
{
    /// <inheritdoc/>
    public async IAsyncEnumerable<ChatEvent> ChatAsync(ChatRequest request, [EnumeratorCancellation] CancellationToken cancellation)
    {
        if (request.Settings is { Regex: not null } or { JsonSchema: not null } or { JsonObject: true } or { Alternatives: not null })
        {
            throw new InteractiveException(new(InteractiveFailure.Refused, "unsupported_parameter", $"'{request.Model}' says back what it is told and cannot be held to a form.", "response_format"));
        }

        yield return new ChatStarted(revision);
        var words = (request.Plain ?? request.Turns[^1].Text).Split(' ');
        var spoken = Math.Min(words.Length, request.Settings.MaxNewTokens);
        for (var word = 0; word < spoken; word++)
        {
            await Task.Delay(latency, cancellation);
            for (var choice = 0; choice < request.Settings.Choices; choice++)
            {
                yield return new ChatText(choice, word == 0 ? words[0] : $" {words[word]}");
            }
        }

        for (var choice = 0; choice < request.Settings.Choices; choice++)
        {
            yield return new ChatAnswered(choice, spoken < words.Length ? "length" : "stop");
        }

        yield return new ChatEnded(new(words.Length, 0, 0, spoken * request.Settings.Choices));
    }

    /// <inheritdoc/>
    public Task<EmbeddingAnswer> EmbedAsync(EmbeddingRequest request, CancellationToken cancellation) => throw new InteractiveException(
        new(InteractiveFailure.Refused, "invalid_image", $"'{request.Model}' has no vision tower and makes no embeddings.", "input"));
}
