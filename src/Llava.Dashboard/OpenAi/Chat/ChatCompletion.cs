using System.Text;
using System.Text.Json.Serialization;
using Llava.Contracts.Interactive;

namespace Llava.Dashboard.OpenAi.Chat;

/// <summary>The answers to a chat, all at once.</summary>
internal sealed record ChatCompletion(string Id, long Created, string Model, IReadOnlyList<ChatChoice> Choices, ChatUsageObject Usage, string SystemFingerprint)
{
    public string Object { get; } = "chat.completion";

    public string ServiceTier { get; } = "default";
}

/// <summary>One answer.</summary>
/// <param name="XChoices">What the model thinks of each of the answers there are, where they were given.</param>
internal sealed record ChatChoice(
    int Index, ChatAnswer Message, ChatLogprobs? Logprobs, string FinishReason, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<ScoredChoice>? XChoices = null);

/// <summary>One of the answers there are.</summary>
/// <param name="Text">The answer.</param>
/// <param name="Logprob">Natural log of the probability that the model answers exactly this.</param>
/// <param name="Probability">Its share among all choices.</param>
internal sealed record ScoredChoice(string Text, double Logprob, double Probability)
{
    public static IReadOnlyList<ScoredChoice>? Of(IEnumerable<ChatAlternative>? alternatives) =>
        alternatives?.Select(one => new ScoredChoice(one.Text, one.LogProbability, one.Probability)).ToList();
}

/// <summary>What the model says.</summary>
internal sealed record ChatAnswer(string Content)
{
    public string Role { get; } = "assistant";

    public string? Refusal { get; }
}

/// <summary>A piece of a streamed chat.</summary>
internal sealed record ChatChunk(string Id, long Created, string Model, string SystemFingerprint, IReadOnlyList<ChatChunkChoice> Choices, ChatUsageObject? Usage = null)
{
    public string Object { get; } = "chat.completion.chunk";

    public string ServiceTier { get; } = "default";
}

/// <summary>What one answer has grown by.</summary>
internal sealed record ChatChunkChoice(
    int Index, ChatDelta Delta, ChatLogprobs? Logprobs = null, string? FinishReason = null, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<ScoredChoice>? XChoices = null);

/// <summary>What is new; the role comes first and alone, and nothing is new in the end.</summary>
internal sealed record ChatDelta(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Role = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Content = null);

/// <summary>Tokens with the model's own probabilities.</summary>
internal sealed record ChatLogprobs(IReadOnlyList<ChatLogprob> Content)
{
    public string? Refusal { get; }

    public static ChatLogprobs? Of(IEnumerable<ChatToken>? tokens) => tokens is null ? null : new([.. tokens.Select(ChatLogprob.Of)]);
}

/// <summary>A token that was chosen.</summary>
internal sealed record ChatLogprob(string Token, double Logprob, IReadOnlyList<int> Bytes, IReadOnlyList<ChatTopLogprob> TopLogprobs)
{
    public static ChatLogprob Of(ChatToken token) =>
        new(Encoding.UTF8.GetString(token.Bytes), token.LogProbability, [.. token.Bytes], [.. (token.Top ?? []).Select(ChatTopLogprob.Of)]);
}

/// <summary>A token that could have been chosen.</summary>
internal sealed record ChatTopLogprob(string Token, double Logprob, IReadOnlyList<int> Bytes)
{
    public static ChatTopLogprob Of(ChatToken token) => new(Encoding.UTF8.GetString(token.Bytes), token.LogProbability, [.. token.Bytes]);
}

/// <summary>What a chat took.</summary>
internal sealed record ChatUsageObject(int PromptTokens, int CompletionTokens, PromptTokensDetails PromptTokensDetails)
{
    public int TotalTokens => PromptTokens + CompletionTokens;

    public CompletionTokensDetails CompletionTokensDetails { get; } = new();

    public static ChatUsageObject Of(ChatUsage usage) =>
        new(usage.PromptTokens, usage.CompletionTokens, new(usage.CachedTokens, usage.ImageTokens, usage.PromptTokens - usage.ImageTokens));
}

/// <summary>What the prompt was made of.</summary>
internal sealed record PromptTokensDetails(int CachedTokens, int ImageTokens, int TextTokens)
{
    public int AudioTokens { get; }
}

/// <summary>What the answers were made of: nothing but text.</summary>
internal sealed record CompletionTokensDetails
{
    public int ReasoningTokens { get; }

    public int AcceptedPredictionTokens { get; }

    public int RejectedPredictionTokens { get; }

    public int AudioTokens { get; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ChatCompletion))]
[JsonSerializable(typeof(ChatChunk))]
[JsonSerializable(typeof(TextCompletion))]
[JsonSerializable(typeof(EmbeddingList<float[]>))]
[JsonSerializable(typeof(EmbeddingList<string>))]
internal sealed partial class ChatJson : JsonSerializerContext;
