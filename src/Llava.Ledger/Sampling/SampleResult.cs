using System.Text.Json.Serialization;

namespace Llava.Ledger.Sampling;

/// <summary>What the sample of a job came to, as it was measured when the sample was done.</summary>
public sealed record SampleResult
{
    /// <summary>Items of the sample.</summary>
    public int Items { get; init; }

    /// <summary>Of those, items with an answer.</summary>
    public int Succeeded { get; init; }

    /// <summary>How many failed for which cause, the commonest first.</summary>
    public IReadOnlyList<SampleCause> Causes { get; init; } = [];

    /// <summary>Time in which workers had an item of the sample in work, added up over the workers: what nobody worked in, such as a pause, is left out.</summary>
    public double BusySeconds { get; init; }

    /// <summary>Time that items spent in slots, added up; over <see cref="BusySeconds"/> it is how many ran at once on a worker. 0 where the model tells of no times.</summary>
    public double SlotSeconds { get; init; }

    /// <summary>Tokens of a prompt, image tokens included.</summary>
    public Spread PromptTokens { get; init; } = new();

    /// <summary>Prompt tokens of an item that were found in the KV cache.</summary>
    public Spread CachedTokens { get; init; } = new();

    /// <summary>Tokens generated for an item.</summary>
    public Spread CompletionTokens { get; init; } = new();

    /// <summary>Images of an item.</summary>
    public Spread Images { get; init; } = new();

    /// <summary>When it was done.</summary>
    public DateTimeOffset DoneAt { get; init; }

    /// <summary>Answers per second of one worker; 0 without an answer.</summary>
    [JsonIgnore]
    public double ItemsPerSecond => BusySeconds > 0 ? Succeeded / BusySeconds : 0;

    /// <summary>Items that ran at once on a worker, on average.</summary>
    [JsonIgnore]
    public double InSlots => BusySeconds > 0 ? SlotSeconds / BusySeconds : 0;
}

/// <summary>How many items of a sample failed for one cause.</summary>
/// <param name="Code">The cause.</param>
/// <param name="Count">How many.</param>
public sealed record SampleCause(string Code, int Count);

/// <summary>A mean and what it lies between.</summary>
/// <param name="Mean">The mean.</param>
/// <param name="Least">The smallest.</param>
/// <param name="Most">The largest.</param>
public sealed record Spread(double Mean = 0, int Least = 0, int Most = 0)
{
    /// <summary>That of some numbers; all 0 for none.</summary>
    internal static Spread Of(IReadOnlyCollection<int> numbers) => numbers.Count == 0 ? new() : new(numbers.Average(), numbers.Min(), numbers.Max());
}
