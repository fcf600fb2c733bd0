using System.Text.Json.Serialization;

namespace Llava.Contracts.Documents;

/// <summary>What work is likely to take, and from what that is known.</summary>
public sealed record JobEstimate
{
    /// <summary>What it is based on.</summary>
    public required EstimateBasis Basis { get; init; }

    /// <summary>The same in words: what was measured, on what, and what that leaves open.</summary>
    public required string Explanation { get; init; }

    /// <summary>Items it is about; null where nobody could count them.</summary>
    public long? Items { get; init; }

    /// <summary>Items of the source that cannot be used, whatever is done; null where nobody could count them.</summary>
    public long? Rejected { get; init; }

    /// <summary>Items per second of all live workers together; null where that is not known.</summary>
    public double? ItemsPerSecond { get; init; }

    /// <summary>Seconds it is likely to take; null where that is not known.</summary>
    public double? Seconds { get; init; }

    /// <summary>Seconds if all goes well; see <see cref="Explanation"/>.</summary>
    public double? SecondsLeast { get; init; }

    /// <summary>Seconds if it goes as slowly as was ever seen; see <see cref="Explanation"/>.</summary>
    public double? SecondsMost { get; init; }

    /// <summary>Tokens of the prompts without those of images; null where that is not known.</summary>
    public TokenEstimate? PromptTokens { get; init; }

    /// <summary>Tokens of the images; null where the model's own number is not known here: they are part of the prompts' then.</summary>
    public TokenEstimate? ImageTokens { get; init; }

    /// <summary>Tokens that are generated; null where that is not known.</summary>
    public TokenEstimate? CompletionTokens { get; init; }

    /// <summary>What failed in the sample, by cause, the commonest first; null where there was none.</summary>
    public IReadOnlyList<SampleFailure>? Failures { get; init; }
}

/// <summary>Tokens of items.</summary>
/// <param name="Mean">Of one item.</param>
/// <param name="Least">Least of one item.</param>
/// <param name="Most">Most of one item.</param>
/// <param name="Total">Of all items; null where nobody could count them.</param>
public sealed record TokenEstimate(double Mean, double Least, double Most, double? Total);

/// <summary>How many items of a sample failed for one cause.</summary>
/// <param name="Code">The cause.</param>
/// <param name="Count">How many.</param>
public sealed record SampleFailure(string Code, int Count);

/// <summary>What an estimate is based on.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<EstimateBasis>))]
public enum EstimateBasis
{
    /// <summary>Nothing: the model has not answered a job yet.</summary>
    [JsonStringEnumMemberName("none")]
    None,

    /// <summary>Jobs that the model has answered.</summary>
    [JsonStringEnumMemberName("past_jobs")]
    PastJobs,

    /// <summary>A sample of the very job.</summary>
    [JsonStringEnumMemberName("sample")]
    Sample,
}

/// <summary>How far the sample of a job is.</summary>
public sealed record SampleDocument
{
    /// <summary>Records that were asked for.</summary>
    public required int Records { get; init; }

    /// <summary>Where it is.</summary>
    public required SampleState State { get; init; }

    /// <summary>Its items; null until it is done.</summary>
    public int? Items { get; init; }

    /// <summary>When it was done.</summary>
    public DateTimeOffset? DoneAt { get; init; }

    /// <summary>What the rest of the job will take; null until the sample is done, when the job is over, and in lists.</summary>
    public JobEstimate? Estimate { get; init; }
}

/// <summary>Where the sample of a job is.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<SampleState>))]
public enum SampleState
{
    /// <summary>It is worked on, and nothing else of the job.</summary>
    [JsonStringEnumMemberName("running")]
    Running,

    /// <summary>It is done, and the job waits to be resumed.</summary>
    [JsonStringEnumMemberName("done")]
    Done,

    /// <summary>The job went on with the rest.</summary>
    [JsonStringEnumMemberName("continued")]
    Continued,
}
