namespace Llava.Contracts.Requests;

/// <summary>One item as its source describes it.</summary>
/// <param name="CustomId">The caller's name for it; repeated in the result.</param>
/// <param name="Images">Where its images are, in the order of the prompt's placeholders; empty for a text-only question.</param>
/// <param name="Prompt">Its own prompt or question; null takes the job's.</param>
/// <param name="Category">A label that evaluation groups by.</param>
public sealed record ItemSpec(string CustomId, IReadOnlyList<string> Images, string? Prompt = null, string? Category = null)
{
    /// <summary>The model that it asks instead of the job's, one of <see cref="SourceDescription.Models"/>; null asks the job's.</summary>
    public string? Model { get; init; }

    /// <summary>What it asks for beyond one question with the job's settings; null for nothing.</summary>
    public ItemChat? Chat { get; init; }
}
