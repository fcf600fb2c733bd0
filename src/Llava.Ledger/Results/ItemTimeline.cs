namespace Llava.Ledger.Results;

/// <summary>When an item went through each step of docs/flow.md; steps that no model told of are null. Whole milliseconds, cut and not rounded, so that no step comes after the next.</summary>
/// <param name="QueuedAt">Its chunk was put on the queue.</param>
/// <param name="ClaimedAt">A worker claimed the chunk: the clock that all other times are counted from.</param>
/// <param name="Timings">What the model told.</param>
/// <param name="WrittenAt">Its result was recorded.</param>
public sealed record ItemTimeline(DateTimeOffset QueuedAt, DateTimeOffset ClaimedAt, ItemTimings? Timings, DateTimeOffset WrittenAt)
{
    /// <summary>Its images and its prompt were pixels and tokens.</summary>
    public DateTimeOffset? PreparedAt => After(Timings?.PrepareMs);

    /// <summary>It got a slot, and its prompt was being read.</summary>
    public DateTimeOffset? PrefillAt => After(Timings?.PrepareMs + Timings?.QueueMs);

    /// <summary>Its first token was chosen.</summary>
    public DateTimeOffset? FirstTokenAt => After(Timings?.PrepareMs + Timings?.QueueMs + Timings?.PrefillMs);

    /// <summary>Its last token was chosen.</summary>
    public DateTimeOffset? LastTokenAt => After(Timings?.PrepareMs + Timings?.QueueMs + Timings?.PrefillMs + Timings?.DecodeMs);

    private DateTimeOffset? After(double? milliseconds) => milliseconds is { } some ? ClaimedAt.AddMilliseconds(Math.Floor(some)) : null;
}
