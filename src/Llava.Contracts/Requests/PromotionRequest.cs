namespace Llava.Contracts.Requests;

/// <summary>
/// A name that moves to the model that a training run makes, once that model has answered questions well enough. Jobs that ask for the name are answered by
/// the model that it stands for when they are submitted.
/// </summary>
public sealed record PromotionRequest
{
    /// <summary>Longest name, in letters.</summary>
    public const int MaxNameLength = 64;

    private const int MostAgain = 20;

    /// <summary>The name: letters, digits, dashes, dots and underscores.</summary>
    public required string Name { get; init; }

    /// <summary>
    /// The questions, as a job whose <c>expected</c> names the field of their right answers. It is submitted twice, for the new model and for the one
    /// that the name stands for; its own model, tenant and key do not count.
    /// </summary>
    public required JobRequest Evaluate { get; init; }

    /// <summary>Least share of right answers, 0 to 1, by the questions' category; what the run is to teach. Default none.</summary>
    public IReadOnlyDictionary<string, double> AtLeast { get; init; } = new Dictionary<string, double>();

    /// <summary>Share of right answers, 0 to 1, that the new model may have less than the old one over all other categories together. Default 0.01.</summary>
    public double LoseAtMost { get; init; } = 0.01;

    /// <summary>Jobs of the tenant's that are asked anew of the new model once the name has moved, each as it was asked before; at most 20. Default none.</summary>
    public IReadOnlyList<JobId> Again { get; init; } = [];

    /// <summary>Every rule that is broken.</summary>
    public IEnumerable<Finding> Findings() =>
    [
        .. Broken(Name.Length is 0 or > MaxNameLength || !Name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or '_'),
            "promotion.name", FormattableString.Invariant($"is '{Name}'; give up to {MaxNameLength} letters, digits, dots, dashes and underscores.")),
        .. Broken(Evaluate.Expected is null, "promotion.evaluate", "names no field with the right answers; give 'expected'."),
        .. Broken(Evaluate.Open || Evaluate.Sample is not null, "promotion.evaluate", "is open or a sample; ask all questions at once."),
        .. Broken(!AtLeast.Values.All(share => share is >= 0 and <= 1), "promotion.at_least", "has a share that is not from 0 to 1."),
        .. Broken(LoseAtMost is not (>= 0 and <= 1), "promotion.lose_at_most", FormattableString.Invariant($"is {LoseAtMost}; give a share from 0 to 1.")),
        .. Broken(Again.Count > MostAgain, "promotion.again", FormattableString.Invariant($"names {Again.Count} jobs; give at most {MostAgain}.")),
        .. Evaluate.Validate().Select(finding => finding with { Field = "promotion.evaluate." + finding.Field }),
    ];

    private static IEnumerable<Finding> Broken(bool isBroken, string field, string message) => isBroken ? [new(field, message)] : [];
}
