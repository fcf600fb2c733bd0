using System.Runtime.CompilerServices;
using Llava.Contracts.Interactive;
using Llava.ModelCore.Engine;
using Llava.ModelCore.Engine.Chats;
using Llava.ModelCore.Prompts;
using ChatToken = Llava.Contracts.Interactive.ChatToken;
using ChatTurn = Llava.ModelCore.Engine.Chats.ChatTurn;

namespace Llava.GpuConsumer.Runners;

/// <summary>Answers conversations with a model of ours.</summary>
internal sealed class EngineChatRunner(LoadedModel model) : IChatRunner
{
    /// <inheritdoc/>
    public async IAsyncEnumerable<ChatEvent> ChatAsync(ChatRequest request, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var chat = await Task.Run(() => model.Chat.Prepare(ToPrompt(request)), cancellation);
        await using var run = model.Chat.Submit(chat);
        yield return new ChatStarted(model.Revision);
        var usage = new ChatUsage(chat.PromptTokens, chat.ImageTokens, 0, 0);
        await foreach (var part in run.ReadAsync(cancellation))
        {
            if (part.Text.Length > 0 || part.Tokens.Count > 0)
            {
                yield return new ChatText(part.Choice, part.Text, request.Settings.LogProbabilities ? [.. part.Tokens.Select(ToToken)] : null);
            }

            if (part.Result is { } result)
            {
                usage = usage with
                {
                    CompletionTokens = usage.CompletionTokens + result.Usage.CompletionTokens,
                    CachedTokens = part.Choice == 0 ? result.Usage.CachedTokens : usage.CachedTokens,
                };
                yield return new ChatAnswered(
                    part.Choice,
                    result.Reason == FinishReason.Length ? "length" : "stop",
                    part.Alternatives?.Select(one => new ChatAlternative(one.Text, one.LogProbability, one.Probability)).ToList());
            }
        }

        yield return new ChatEnded(usage);
    }

    /// <inheritdoc/>
    public async Task<EmbeddingAnswer> EmbedAsync(EmbeddingRequest request, CancellationToken cancellation)
    {
        List<float[]> vectors = new(request.Images.Count);
        foreach (var image in request.Images)
        {
            vectors.Add(await model.EmbedAsync(image, cancellation));
        }

        return new(vectors, model.ImageTokens);
    }

    private static ChatPrompt ToPrompt(ChatRequest request) => new()
    {
        Turns = [.. request.Turns.Select(turn => new ChatTurn(turn.Speaker == ChatSpeaker.User ? Speaker.User : Speaker.Assistant, turn.Text, turn.Images))],
        System = request.System,
        Plain = request.Plain,
        StopStrings = request.Settings.StopStrings,
        Grammar = AnswerShapes.Of(request.Settings),
        Alternatives = request.Settings.Alternatives ?? [],
        IgnoresEnd = request.Settings.IgnoresEnd,
        Choices = request.Settings.Choices,
        ReportsTokens = request.Settings.LogProbabilities,
        Sampling = ToSampling(request.Settings),
    };

    private static SamplingSettings ToSampling(ChatSettings settings) => new()
    {
        MaxNewTokens = settings.MaxNewTokens,
        MinNewTokens = settings.MinNewTokens,
        Temperature = settings.Temperature,
        TopP = settings.TopP,
        TopK = settings.TopK,
        MinP = settings.MinP,
        RepetitionPenalty = settings.RepetitionPenalty,
        PresencePenalty = settings.PresencePenalty,
        FrequencyPenalty = settings.FrequencyPenalty,
        LogitBias = settings.LogitBias,
        Seed = settings.Seed,
        StopTokens = settings.StopTokens,
        TopLogProbabilities = settings.TopLogProbabilities,
    };

    private static ChatToken ToToken(Llava.ModelCore.Engine.Chats.ChatToken token) => new(
        token.Token.Bytes, token.Token.LogProbability, [.. token.Likeliest.Select(one => new ChatToken(one.Bytes, one.LogProbability))]);
}
