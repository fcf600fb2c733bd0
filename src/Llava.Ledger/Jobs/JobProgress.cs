using System.Text.Json.Serialization;
using Llava.Ledger.Scores;

namespace Llava.Ledger.Jobs;

/// <summary>How far a job is: derived from its results, so that no redelivery can count anything twice.</summary>
public sealed record JobProgress
{
    /// <summary>Items known so far.</summary>
    public int Total { get; init; }

    /// <summary>Items with an answer.</summary>
    public long Succeeded { get; init; }

    /// <summary>Items that could not be answered.</summary>
    public long Failed { get; init; }

    /// <summary>Items the job was cancelled before.</summary>
    public long Cancelled { get; init; }

    /// <summary>Items whose time was over.</summary>
    public long Expired { get; init; }

    /// <summary>Tokens of all prompts, image tokens included.</summary>
    public long PromptTokens { get; init; }

    /// <summary>Prompt tokens found in the KV cache.</summary>
    public long CachedTokens { get; init; }

    /// <summary>Tokens generated.</summary>
    public long CompletionTokens { get; init; }

    /// <summary>Items answered with the answer of an equal item of the same job.</summary>
    public long Copied { get; init; }

    /// <summary>Items answered with the answer that an earlier job got.</summary>
    public long Cached { get; init; }

    /// <summary>When the first item was answered.</summary>
    public DateTimeOffset? FirstAnswerAt { get; init; }

    /// <summary>When the last item so far was answered.</summary>
    public DateTimeOffset? LastAnswerAt { get; init; }

    /// <summary>How many answers are the expected ones; null where nothing is expected, or answered yet.</summary>
    public JobScore? Score { get; init; }

    /// <summary>Items that have a result.</summary>
    [JsonIgnore]
    public long Done => Succeeded + Failed + Cancelled + Expired;

    /// <summary>Share of the items that have a result, 0 to 1.</summary>
    [JsonIgnore]
    public double Fraction => Total == 0 ? 0 : (double)Done / Total;

    /// <summary>Answers per second between the first and the last; 0 while there are fewer than two moments to compare.</summary>
    [JsonIgnore]
    public double ItemsPerSecond => PerSecond(Succeeded);

    /// <summary>Generated tokens per second between the first and the last answer.</summary>
    [JsonIgnore]
    public double TokensPerSecond => PerSecond(CompletionTokens);

    /// <summary>Time to the end at the rate so far; null before there is a rate.</summary>
    [JsonIgnore]
    public TimeSpan? Remaining => ItemsPerSecond > 0 ? TimeSpan.FromSeconds((Total - Done) / ItemsPerSecond) : null;

    private double PerSecond(long count) => LastAnswerAt - FirstAnswerAt is { TotalSeconds: > 0 } span ? count / span.TotalSeconds : 0;
}
