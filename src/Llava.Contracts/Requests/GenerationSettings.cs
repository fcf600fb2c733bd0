namespace Llava.Contracts.Requests;

/// <summary>How answers are generated.</summary>
public sealed record GenerationSettings
{
    /// <summary>Longest answer, in tokens, 1 to 32768. Default 512.</summary>
    public int MaxNewTokens { get; init; } = 512;

    /// <summary>Randomness, 0 to 2; 0 always takes the likeliest token. Default 0.</summary>
    public double Temperature { get; init; }

    /// <summary>Smallest set of tokens whose probabilities add up to this much, above 0 to 1; 1 takes all. Default 1.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Number of likeliest tokens to choose among; 0 takes all. Default 0.</summary>
    public int TopK { get; init; }

    /// <summary>Divides the score of tokens already seen, above 0 to 10; 1 leaves them alone. Default 1.</summary>
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>Makes sampling repeatable; null draws a new seed per item.</summary>
    public long? Seed { get; init; }

    /// <summary>Texts at which an answer ends; they are not part of it. At most 16.</summary>
    public IReadOnlyList<string> StopStrings { get; init; } = [];

    /// <summary>Every rule these settings break; empty when they are usable.</summary>
    public IEnumerable<Finding> Validate()
    {
        if (MaxNewTokens is < 1 or > 32_768)
        {
            yield return new("generation.max_new_tokens", $"is {MaxNewTokens}; give 1 to 32768.");
        }

        if (Temperature is not (>= 0 and <= 2))
        {
            yield return new("generation.temperature", $"is {Temperature}; give 0 to 2.");
        }

        if (TopP is not (> 0 and <= 1))
        {
            yield return new("generation.top_p", $"is {TopP}; give more than 0 and at most 1.");
        }

        if (TopK < 0)
        {
            yield return new("generation.top_k", $"is {TopK}; give 0 (all tokens) or more.");
        }

        if (RepetitionPenalty is not (> 0 and <= 10))
        {
            yield return new("generation.repetition_penalty", $"is {RepetitionPenalty}; give more than 0 and at most 10.");
        }

        if (StopStrings.Count > 16 || StopStrings.Any(string.IsNullOrEmpty))
        {
            yield return new("generation.stop_strings", $"holds {StopStrings.Count} texts; give at most 16, none of them empty.");
        }
    }
}
