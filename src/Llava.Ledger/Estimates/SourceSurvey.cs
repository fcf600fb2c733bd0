namespace Llava.Ledger.Estimates;

/// <summary>What reading a job's source in advance has shown. What could not be read or measured is null.</summary>
public sealed record SourceSurvey
{
    /// <summary>Items that can be worked on.</summary>
    public long? Items { get; init; }

    /// <summary>Items that cannot be used.</summary>
    public long? Rejected { get; init; }

    /// <summary>Whether the source goes on behind what was read, so that there are more items.</summary>
    public bool IsCut { get; init; }

    /// <summary>Why items could not be counted, as a sentence.</summary>
    public string? Problem { get; init; }

    /// <summary>Tokens of each prompt that was looked at, its template included and its images not.</summary>
    public IReadOnlyList<int> PromptTokens { get; init; } = [];

    /// <summary>Image tokens of the same items.</summary>
    public IReadOnlyList<int> ImageTokens { get; init; } = [];
}
