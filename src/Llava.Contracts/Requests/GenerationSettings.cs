using System.Text.Json;

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

    /// <summary>Regular expression that the whole answer matches; null leaves answers free. At most 10000 letters.</summary>
    public string? Regex { get; init; }

    /// <summary>JSON schema that the answer, which is JSON, is valid for; null leaves answers free.</summary>
    public JsonElement? JsonSchema { get; init; }

    /// <summary>The only answers there are, 1 to 256; each is scored, and the result's confidence is the share of the one that is given. Null leaves answers free.</summary>
    public IReadOnlyList<string>? Choices { get; init; }

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

        foreach (var finding in ValidateShape())
        {
            yield return finding;
        }
    }

    private IEnumerable<Finding> ValidateShape()
    {
        var shapes = (Regex is null ? 0 : 1) + (JsonSchema is null ? 0 : 1) + (Choices is null ? 0 : 1);
        if (shapes > 1)
        {
            yield return new("generation", "says with more than one of 'regex', 'json_schema' and 'choices' what answers look like; give one.");
        }

        if (shapes > 0 && StopStrings.Count > 0)
        {
            yield return new("generation.stop_strings", "cannot end an answer that has to look a certain way; leave them out.");
        }

        if (Regex is { Length: 0 or > 10_000 })
        {
            yield return new("generation.regex", $"has {Regex.Length} letters; give 1 to 10000.");
        }

        if (JsonSchema is { ValueKind: not (JsonValueKind.Object or JsonValueKind.True) })
        {
            yield return new("generation.json_schema", "is no schema; give an object.");
        }

        if (Choices is { } choices && (choices.Count is 0 or > 256 || choices.Any(string.IsNullOrEmpty) || choices.Distinct(StringComparer.Ordinal).Count() < choices.Count))
        {
            yield return new("generation.choices", $"holds {choices.Count} texts; give 1 to 256, none of them empty and no two of them equal.");
        }
    }
}
