using System.Text.Json;
using System.Text.Json.Serialization;

namespace Llava.Contracts.Interactive;

/// <summary>A conversation that somebody waits for: what the dashboard asks of a consumer. Everything it needs is inside; it names nothing to be fetched.</summary>
public sealed record ChatRequest
{
    /// <summary>Name under which the request is found in logs.</summary>
    public required string RequestId { get; init; }

    /// <summary>The model, by the name that jobs use or the last part of it.</summary>
    public required string Model { get; init; }

    /// <summary>The turns so far, the user's last.</summary>
    public IReadOnlyList<ChatTurn> Turns { get; init; } = [];

    /// <summary>Text in place of the template's own before the first turn; null for the template's.</summary>
    public string? System { get; init; }

    /// <summary>A text to be continued without any template, instead of <see cref="Turns"/>.</summary>
    public string? Plain { get; init; }

    /// <summary>How answers are generated.</summary>
    public ChatSettings Settings { get; init; } = new();
}

/// <summary>What one speaker says.</summary>
/// <param name="Speaker">Who.</param>
/// <param name="Text">The words; <c>&lt;image&gt;</c> in them, as often as there are images, says where those stand.</param>
/// <param name="Images">Image files' contents.</param>
public sealed record ChatTurn(ChatSpeaker Speaker, string Text, IReadOnlyList<byte[]> Images);

/// <summary>Who speaks.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ChatSpeaker>))]
public enum ChatSpeaker
{
    /// <summary>Who asks.</summary>
    User,

    /// <summary>The model.</summary>
    Assistant,
}

/// <summary>How the answers of a chat are generated. Ranges are those of OpenAI's API and are checked where requests come in.</summary>
public sealed record ChatSettings
{
    /// <summary>Longest answer, in tokens. Default 512.</summary>
    public int MaxNewTokens { get; init; } = 512;

    /// <summary>Tokens before an answer may end by a stop token. Default 0.</summary>
    public int MinNewTokens { get; init; }

    /// <summary>Randomness, 0 to 2; 0 always takes the likeliest token. Default 1.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>Smallest set of tokens whose probabilities add up to this much. Default 1: all.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Number of likeliest tokens to choose among. Default 0: all.</summary>
    public int TopK { get; init; }

    /// <summary>Least probability of a token, as a share of the likeliest one's. Default 0.</summary>
    public double MinP { get; init; }

    /// <summary>Divides the score of tokens that prompt or answer hold. Default 1.</summary>
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>Subtracted from the score of tokens that the answer holds. Default 0.</summary>
    public double PresencePenalty { get; init; }

    /// <summary>Subtracted from a token's score for each time that the answer holds it. Default 0.</summary>
    public double FrequencyPenalty { get; init; }

    /// <summary>Added to the scores of these token ids. Default none.</summary>
    public IReadOnlyDictionary<int, double> LogitBias { get; init; } = new Dictionary<int, double>();

    /// <summary>Makes sampling repeatable; null draws a new seed.</summary>
    public long? Seed { get; init; }

    /// <summary>Texts at which an answer ends; they are not part of it.</summary>
    public IReadOnlyList<string> StopStrings { get; init; } = [];

    /// <summary>Token ids at which an answer ends.</summary>
    public IReadOnlyList<int> StopTokens { get; init; } = [];

    /// <summary>Regular expression that the whole answer matches; null leaves answers free.</summary>
    public string? Regex { get; init; }

    /// <summary>JSON schema that the answer, which is JSON, is valid for; null leaves answers free.</summary>
    public JsonElement? JsonSchema { get; init; }

    /// <summary>Whether the answer is a JSON object, whatever is in it. Default false.</summary>
    public bool JsonObject { get; init; }

    /// <summary>The only answers there are, each of which is scored; null leaves answers free.</summary>
    public IReadOnlyList<string>? Alternatives { get; init; }

    /// <summary>Whether the model's own end of an answer is passed over. Default false.</summary>
    public bool IgnoresEnd { get; init; }

    /// <summary>Answers to generate. Default 1.</summary>
    public int Choices { get; init; } = 1;

    /// <summary>Whether each token is reported with its probability. Default false.</summary>
    public bool LogProbabilities { get; init; }

    /// <summary>Likeliest tokens reported beside each. Default 0.</summary>
    public int TopLogProbabilities { get; init; }
}
