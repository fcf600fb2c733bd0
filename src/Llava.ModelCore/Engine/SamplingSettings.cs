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
