namespace Llava.ModelCore.Engine;

/// <summary>What became of a request.</summary>
public sealed record SequenceResult
{
    /// <summary>Every generated token, the one that stopped the sequence included.</summary>
    public required IReadOnlyList<int> Tokens { get; init; }

    /// <summary>Why generation ended.</summary>
    public required FinishReason Reason { get; init; }

    /// <summary>What failed when <see cref="Reason"/> is <see cref="FinishReason.Error"/>; null otherwise.</summary>
    public SequenceFailedException? Error { get; init; }

    /// <summary>Tokens that were read, reused and written.</summary>
    public required SequenceUsage Usage { get; init; }

    /// <summary>Where the time went.</summary>
    public required SequenceTimings Timings { get; init; }

    /// <summary>How sure the model was.</summary>
    public required SequenceConfidence Confidence { get; init; }

    /// <summary>The seed that reproduces the draws.</summary>
    public required long Seed { get; init; }
}

/// <summary>Why a sequence ended.</summary>
public enum FinishReason
{
    /// <summary>A stop token or the stop condition.</summary>
    Stop,

    /// <summary>All its new tokens are used up.</summary>
    Length,

    /// <summary>It was cancelled or the engine stopped; the tokens so far are in the result.</summary>
    Cancelled,

    /// <summary>A step failed for it.</summary>
    Error,
}

/// <summary>Tokens of a sequence.</summary>
/// <param name="PromptTokens">Positions of the prompt: text tokens and image features.</param>
/// <param name="CachedTokens">Those of them that were copied from a shared prefix.</param>
/// <param name="CompletionTokens">Generated tokens.</param>
public sealed record SequenceUsage(int PromptTokens, int CachedTokens, int CompletionTokens);

/// <summary>Time of a sequence; phases it did not reach are zero.</summary>
/// <param name="Queued">From submission to a slot.</param>
/// <param name="Prefill">From the slot to the first token.</param>
/// <param name="Decode">From the first token to the end.</param>
public sealed record SequenceTimings(TimeSpan Queued, TimeSpan Prefill, TimeSpan Decode);

/// <summary>Natural-log probabilities the model itself gave to the chosen tokens, before any processor; zero without tokens.</summary>
/// <param name="MinLogProbability">Of the least certain token.</param>
/// <param name="MeanLogProbability">Mean over the tokens; its exponential is the geometric mean probability.</param>
public sealed record SequenceConfidence(double MinLogProbability, double MeanLogProbability);
