using System.Text.Json.Serialization;

namespace Llava.Contracts.Requests;

/// <summary>What a client may ask for: a model, a prompt, settings and a source of items.</summary>
public sealed record JobRequest
{
    /// <summary>Highest <see cref="Priority"/>; the lowest is its negative.</summary>
    public const int HighestPriority = 100;

    /// <summary>Most records of a <see cref="Sample"/>.</summary>
    public const int LargestSample = 1000;

    private const int MostSampledItems = 10 * LargestSample;
    private static readonly TimeSpan LongestWindow = TimeSpan.FromDays(3650);

    /// <summary>Model that answers, by the name consumers announce.</summary>
    public required string Model { get; init; }

    /// <summary>
    /// Text asked about every item that brings none of its own; a template of the item's fields, see <see cref="PromptTemplate"/>.
    /// Null when every item brings its own.
    /// </summary>
    public string? Prompt { get; init; }

    /// <summary>
    /// Instead of <see cref="Prompt"/>: texts of which each is asked of every item, at most 1000. Neighbours ask about the same image;
    /// prompt n of item <c>a</c> is the item <c>a#n</c>, counted from 1. Default none.
    /// </summary>
    public IReadOnlyList<string> Prompts { get; init; } = [];

    /// <summary>How answers are generated.</summary>
    public GenerationSettings Generation { get; init; } = new();

    /// <summary>Where the items come from.</summary>
    public required SourceDescription Source { get; init; }

    /// <summary>
    /// Whether further sources may be added until the job is closed, see <see cref="PartRequest"/>; it is not over before. Default false.
    /// </summary>
    public bool Open { get; init; }

    /// <summary>
    /// Whether one bad item refuses the whole job with <c>invalid_source</c> before any is worked on; otherwise it fails alone. Default false.
    /// </summary>
    public bool Strict { get; init; }

    /// <summary>
    /// Records to work on first, 1 to 1000, spread over the source; each gives an item for each prompt. When they are done the job pauses by
    /// itself and says what the rest will take; resumed, it goes on with the rest. The same source gives the same sample. Null works on all
    /// of it at once. Default null.
    /// </summary>
    public int? Sample { get; init; }

    /// <summary>
    /// Field of each record, such as <c>answer</c>, that holds the right answer: the job's answers are scored by it. Null scores nothing.
    /// Default null.
    /// </summary>
    public string? Expected { get; init; }

    /// <summary>Who the job belongs to; tenants share the machine evenly. Default <c>default</c>.</summary>
    public string Tenant { get; init; } = "default";

    /// <summary>A higher one goes first, -100 to 100. Default 0.</summary>
    public int Priority { get; init; }

    /// <summary>A second request with the same key and tenant returns the first one's job.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>Conversation template to use instead of the model's own, such as <c>vicuna_v1</c>.</summary>
    public string? ConversationTemplate { get; init; }

    /// <summary>How images are made square instead of the model's own way: <c>pad</c> or <c>square</c>.</summary>
    public string? ImageAspect { get; init; }

    /// <summary>Items per chunk, the unit that is leased and sent, 1 to 1024. Default 32.</summary>
    public int ChunkItems { get; init; } = 32;

    /// <summary>
    /// Whether items whose images, prompt and settings are equal are answered once, and the answer recorded for each. Default false.
    /// </summary>
    public bool Deduplicate { get; init; }

    /// <summary>
    /// Whether answers that earlier jobs of the tenant got to the very same are given again, and this job's are kept for later ones.
    /// Needs settings that always give the same answer: temperature 0, or a seed. Default false.
    /// </summary>
    public bool Cache { get; init; }

    /// <summary>Time after which what is not answered expires, at most ten years; null waits for ever. What was answered by then stays.</summary>
    public TimeSpan? CompletionWindow { get; init; }

    /// <summary>
    /// Whether the first items are worked on while the source is still being read. A strict job and an OpenAI batch are checked as a whole
    /// before that, and a sample is drawn from the whole.
    /// </summary>
    [JsonIgnore]
    public bool RunsWhileRead => !Strict && Sample is null && Source.Kind != SourceKind.OpenAiBatch;

    /// <summary>Every rule this request breaks; empty when it can be accepted.</summary>
    public IReadOnlyList<Finding> Validate()
    {
        List<Finding> findings = [.. Generation.Validate(), .. Source.Validate(), .. ValidateKey(IdempotencyKey)];
        Check(IsModelName(Model), "model", $"is '{Model}'; name a model in at most 1000 letters.");
        Check(Prompt is null || IsPrompt(Prompt), "prompt", "is empty or longer than 100000 letters; leave it out or say what to ask.");
        Check(Prompts.Count <= 1000 && Prompts.All(IsPrompt), "prompts", $"holds {Prompts.Count} texts; give at most 1000, each of 1 to 100000 letters.");
        Check(Prompt is null || Prompts.Count == 0, "prompts", "stands beside 'prompt'; give one of the two.");
        Check(Sample is null or (>= 1 and <= LargestSample), "sample", $"is {Sample}; give 1 to {LargestSample} records.");
        Check(Sample is null || (long)Sample * Math.Max(1, Prompts.Count) <= MostSampledItems, "sample", $"is {Sample} records of {Prompts.Count} prompts each; give at most {MostSampledItems} items in all.");
        Check(Sample is null || !Open, "sample", "stands beside 'open', and a job that grows has no whole to sample; give one of the two.");
        Check(Sample is null || Source.Models.Count == 0, "sample", "stands beside 'source.models', and a sample is of one model; give one of the two.");
        Check(Expected is null || (Expected.Length is > 0 and <= 200 && IsPlain(Expected)), "expected", "is empty or longer than 200 letters; name a field of the records, or leave it out.");
        Check(!string.IsNullOrWhiteSpace(Tenant) && Tenant.Length <= 100 && IsPlain(Tenant), "tenant", $"is '{Tenant}'; give 1 to 100 letters.");
        Check(Math.Abs((long)Priority) <= HighestPriority, "priority", $"is {Priority}; give -100 to 100.");
        Check(ImageAspect is null or "pad" or "square", "image_aspect", $"is '{ImageAspect}'; give pad or square, or leave it out.");
        Check(ChunkItems is >= 1 and <= 1024, "chunk_items", $"is {ChunkItems}; give 1 to 1024.");
        Check(CompletionWindow is null || (CompletionWindow > TimeSpan.Zero && CompletionWindow <= LongestWindow), "completion_window", $"is {CompletionWindow}; give more than zero and at most {LongestWindow.Days} days.");
        Check(
            !Cache || Generation.Temperature == 0 || (Generation.Seed is not null && !Deduplicate), "cache",
            "is true, and sampling gives another answer each time; give temperature 0, or a seed and no 'deduplicate'.");
        return findings;

        void Check(bool holds, string field, string message)
        {
            if (!holds)
            {
                findings.Add(new(field, message));
            }
        }

        static bool IsPrompt(string text) => !string.IsNullOrWhiteSpace(text) && text.Length <= 100_000;
    }

    /// <summary>What is wrong with an idempotency key.</summary>
    internal static IEnumerable<Finding> ValidateKey(string? key) => key is null || (key.Length is > 0 and <= 200 && IsPlain(key))
        ? []
        : [new("idempotency_key", "is empty, longer than 200 letters or holds control characters.")];

    /// <summary>Whether it can be a model's name.</summary>
    internal static bool IsModelName(string name) => !string.IsNullOrWhiteSpace(name) && name.Length <= 1000 && IsPlain(name);

    // The ledger keeps these in columns of their own, and PostgreSQL takes no NUL there.
    private static bool IsPlain(string text) => !text.Any(char.IsControl);
}
