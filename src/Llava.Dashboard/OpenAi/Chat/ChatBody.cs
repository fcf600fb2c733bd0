using System.Text.Json;
using System.Text.Json.Serialization;

namespace Llava.Dashboard.OpenAi.Chat;

/// <summary>The body of <c>POST /chat/completions</c>, and of <c>POST /completions</c> as far as they share fields; what it leaves out is null.</summary>
internal sealed record ChatBody
{
    public string? Model { get; init; }

    public JsonElement? Messages { get; init; }

    public JsonElement? Prompt { get; init; }

    public int? MaxTokens { get; init; }

    public int? MaxCompletionTokens { get; init; }

    public int? MinTokens { get; init; }

    public double? Temperature { get; init; }

    public double? TopP { get; init; }

    public int? TopK { get; init; }

    public double? MinP { get; init; }

    public double? RepetitionPenalty { get; init; }

    public double? PresencePenalty { get; init; }

    public double? FrequencyPenalty { get; init; }

    public IReadOnlyDictionary<string, double>? LogitBias { get; init; }

    public long? Seed { get; init; }

    public JsonElement? Stop { get; init; }

    public IReadOnlyList<int>? StopTokenIds { get; init; }

    public bool? IgnoreEos { get; init; }

    public int? N { get; init; }

    /// <summary>A truth value in chats, a number in completions.</summary>
    public JsonElement? Logprobs { get; init; }

    public int? TopLogprobs { get; init; }

    public bool? Stream { get; init; }

    public StreamOptions? StreamOptions { get; init; }

    // Accepted without effect: they tell OpenAI how to bill, keep, trace or route.
    public JsonElement? Metadata { get; init; }

    public JsonElement? User { get; init; }

    public JsonElement? Store { get; init; }

    public JsonElement? ServiceTier { get; init; }

    public JsonElement? SafetyIdentifier { get; init; }

    public JsonElement? PromptCacheKey { get; init; }

    public JsonElement? ParallelToolCalls { get; init; }

    // What answers have to look like.
    public JsonElement? ResponseFormat { get; init; }

    public JsonElement? GuidedJson { get; init; }

    public JsonElement? GuidedChoice { get; init; }

    public JsonElement? GuidedRegex { get; init; }

    public JsonElement? StructuredOutputs { get; init; }

    // Refused by name unless they ask for nothing.
    public JsonElement? Tools { get; init; }

    public JsonElement? ToolChoice { get; init; }

    public JsonElement? Functions { get; init; }

    public JsonElement? FunctionCall { get; init; }

    public JsonElement? Audio { get; init; }

    public JsonElement? Modalities { get; init; }

    public JsonElement? Prediction { get; init; }

    public JsonElement? WebSearchOptions { get; init; }

    public JsonElement? GuidedGrammar { get; init; }

    public JsonElement? Priority { get; init; }

    public JsonElement? MmProcessorKwargs { get; init; }

    public JsonElement? AddGenerationPrompt { get; init; }

    public JsonElement? ContinueFinalMessage { get; init; }

    public JsonElement? ChatTemplate { get; init; }

    public JsonElement? ChatTemplateKwargs { get; init; }

    public JsonElement? Suffix { get; init; }

    public JsonElement? Echo { get; init; }

    public JsonElement? BestOf { get; init; }
}

/// <summary>How an answer is streamed.</summary>
/// <param name="IncludeUsage">Whether the totals come behind the answers.</param>
internal sealed record StreamOptions(bool? IncludeUsage = null)
{
    /// <summary>Accepted without effect: nothing is padded here.</summary>
    public bool? IncludeObfuscation { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ChatBody))]
[JsonSerializable(typeof(EmbeddingBody))]
internal sealed partial class ChatBodyJson : JsonSerializerContext;
