using System.Collections.ObjectModel;

namespace Llava.ModelCore.Engine;

/// <summary>How one sequence is generated (spec 5.3). Every row of a batch has its own.</summary>
public sealed record SamplingSettings
{
    /// <summary>Tokens generated at most; they are reserved in the KV cache at admission. Default 256.</summary>
    public int MaxNewTokens { get; init; } = 256;

    /// <summary>Divides the logits; 0 or less is greedy. Default 0.</summary>
    public double Temperature { get; init; }

    /// <summary>Keeps the smallest set of tokens whose probability reaches this; 1 keeps all. Default 1.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Keeps the k most probable tokens and those tied with the last of them; 0 keeps all. Default 0.</summary>
    public int TopK { get; init; }

    /// <summary>
    /// Divides positive and multiplies negative logits of tokens that the prompt or the answer already holds (Keskar et al. 2019); 1 does nothing. Default 1.
    /// </summary>
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>Keeps tokens at least this probable relative to the most probable one, after the temperature; 0 keeps all. Default 0.</summary>
    public double MinP { get; init; }

    /// <summary>Subtracted from the logit of every token that the answer already holds (OpenAI's presence_penalty); 0 does nothing. Default 0.</summary>
    public double PresencePenalty { get; init; }

    /// <summary>Subtracted from a token's logit for each time the answer already holds it (OpenAI's frequency_penalty); 0 does nothing. Default 0.</summary>
    public double FrequencyPenalty { get; init; }

    /// <summary>Added to the logits of these token ids; ids that the model does not know do nothing. Default none.</summary>
    public IReadOnlyDictionary<int, double> LogitBias { get; init; } = ReadOnlyDictionary<int, double>.Empty;

    /// <summary>Tokens to generate before one of <see cref="StopTokens"/> may be chosen. Default 0.</summary>
    public int MinNewTokens { get; init; }

    /// <summary>How many of the likeliest tokens are reported beside each chosen one; 0 reports the chosen one only. Default 0.</summary>
    public int TopLogProbabilities { get; init; }

    /// <summary>Seed of this sequence's draws; null draws one and reports it in the result. The same seed, prompt and settings give the same text.</summary>
    public long? Seed { get; init; }

    /// <summary>Token ids that end the sequence, such as eos. The one that did is the last of the result's tokens.</summary>
    public IReadOnlyList<int> StopTokens { get; init; } = [];

    /// <summary>Ids from here on are never chosen: rows that a checkpoint's embedding table has beyond its tokenizer. Null allows all.</summary>
    public int? VocabularyLimit { get; init; }

    /// <summary>Whether the best token is taken instead of a draw.</summary>
    public bool IsGreedy => Temperature <= 0;

    /// <summary>Everything that is wrong with these settings; empty when they can be used.</summary>
    public IReadOnlyList<string> Validate()
    {
        List<string> findings = [];
        Check(MaxNewTokens >= 1, nameof(MaxNewTokens), MaxNewTokens, "at least 1");
        Check(double.IsFinite(Temperature), nameof(Temperature), Temperature, "a finite number");
        Check(TopP is > 0 and <= 1, nameof(TopP), TopP, "above 0 and at most 1");
        Check(TopK >= 0, nameof(TopK), TopK, "0 or more");
        Check(RepetitionPenalty > 0 && double.IsFinite(RepetitionPenalty), nameof(RepetitionPenalty), RepetitionPenalty, "above 0");
        Check(MinP is >= 0 and <= 1, nameof(MinP), MinP, "0 to 1");
        Check(double.IsFinite(PresencePenalty), nameof(PresencePenalty), PresencePenalty, "a finite number");
        Check(double.IsFinite(FrequencyPenalty), nameof(FrequencyPenalty), FrequencyPenalty, "a finite number");
        Check(LogitBias.Values.All(double.IsFinite), nameof(LogitBias), "not finite", "finite numbers");
        Check(MinNewTokens >= 0, nameof(MinNewTokens), MinNewTokens, "0 or more");
        Check(TopLogProbabilities >= 0, nameof(TopLogProbabilities), TopLogProbabilities, "0 or more");
        Check(VocabularyLimit is null or >= 1, nameof(VocabularyLimit), VocabularyLimit, "at least 1, or null");
        return findings;

        void Check(bool isRight, string name, object? value, string range)
        {
            if (!isRight)
            {
                findings.Add(FormattableString.Invariant($"{name} is {value}; it must be {range}."));
            }
        }
    }
}
