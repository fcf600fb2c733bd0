namespace Llava.Contracts.Requests;

/// <summary>What a training run is asked to make.</summary>
public sealed record TrainingRequest
{
    /// <summary>Longest suffix, in letters.</summary>
    public const int MaxSuffixLength = 64;

    /// <summary>Highest and, negated, lowest priority.</summary>
    public const int MaxPriority = 100;

    private const int MaxMetadata = 16;
    private const int MaxKeyLength = 64;
    private const int MaxValueLength = 512;

    /// <summary>Who asks; default <c>default</c>.</summary>
    public string Tenant { get; init; } = "default";

    /// <summary>
    /// The model to start from, by the name that jobs use; for <see cref="TrainingMode.Alignment"/> a base, by the name that consumers give it; empty after another run, whose model it then is.
    /// </summary>
    public required string Model { get; init; }

    /// <summary>Id of a run of the tenant's: this one waits until it has succeeded, and starts from its model. Null for none.</summary>
    public string? After { get; init; }

    /// <summary>Id of the file of rows to learn from.</summary>
    public required string TrainingFile { get; init; }

    /// <summary>Id of the file of rows to measure with; null for none.</summary>
    public string? ValidationFile { get; init; }

    /// <summary>Part of the new model's name: letters, digits, dots, dashes and underscores.</summary>
    public string? Suffix { get; init; }

    /// <summary>Seed of the order of the rows.</summary>
    public int Seed { get; init; } = 42;

    /// <summary>Runs of higher priority are trained first.</summary>
    public int Priority { get; init; }

    /// <summary>What the client notes on it; null for nothing.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>A name that its model is to take over once it has shown that it is good enough; null for none.</summary>
    public PromotionRequest? Promotion { get; init; }

    /// <summary>How it learns.</summary>
    public TrainingSettings Settings { get; init; } = new();

    /// <summary>Every rule that is broken.</summary>
    public IReadOnlyList<Finding> Findings() =>
    [
        .. Broken(Model.Length == 0, "model", "is empty; name the model to start from."),
        .. Broken(Suffix is { } suffix && (suffix.Length > MaxSuffixLength || !suffix.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or '_')),
            "suffix", FormattableString.Invariant($"is '{Suffix}'; give up to {MaxSuffixLength} letters, digits, dots, dashes and underscores.")),
        .. Broken(Seed < 0, "seed", FormattableString.Invariant($"is {Seed}; give a number from 0 on.")),
        .. Broken(Math.Abs(Priority) > MaxPriority, "priority", FormattableString.Invariant($"is {Priority}; give a number from -{MaxPriority} to {MaxPriority}.")),
        .. Broken(Metadata is { Count: > MaxMetadata } || Metadata?.Any(pair => pair.Key.Length > MaxKeyLength || pair.Value.Length > MaxValueLength) == true,
            "metadata", FormattableString.Invariant($"is too much; give up to {MaxMetadata} pairs, keys of up to {MaxKeyLength} and values of up to {MaxValueLength} letters.")),
        .. Broken(After is not null && Settings.Mode == TrainingMode.Alignment, "after", "is given, but alignment starts from a base, which no run makes; name one as the model."),
        .. Broken(Promotion is not null && Settings.Mode == TrainingMode.Alignment, "promotion", "is given, but alignment makes no model yet that answers questions; give it to the run that follows."),
        .. Settings.Findings(),
        .. Promotion?.Findings() ?? [],
    ];

    private static IEnumerable<Finding> Broken(bool isBroken, string field, string message) => isBroken ? [new(field, message)] : [];
}
