using System.Text.Json;
using System.Text.Json.Serialization;
using Llava.Ledger.Expansion;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;
using Llava.Ledger.Sampling;
using Llava.Ledger.Scores;
using Llava.Ledger.Webhooks;
using Llava.Ledger.Workers;

namespace Llava.Ledger;

/// <summary>What the ledger keeps as JSON inside a column.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(JobProgress))]
[JsonSerializable(typeof(SampleResult))]
[JsonSerializable(typeof(IReadOnlyList<ExpectedAnswer>))]
[JsonSerializable(typeof(IReadOnlyList<string>))]
[JsonSerializable(typeof(IReadOnlyList<ServedModel>))]
[JsonSerializable(typeof(IReadOnlyList<CachedResult>))]
[JsonSerializable(typeof(IReadOnlyList<SourceFinding>))]
[JsonSerializable(typeof(IReadOnlyDictionary<string, string>))]
[JsonSerializable(typeof(WebhookEvent))]
internal sealed partial class LedgerJson : JsonSerializerContext
{
    // Text-only questions come by the hundred thousand.
    private const string NoImages = "[]";

    public static string WriteImages(IReadOnlyList<string> images) => images.Count == 0 ? NoImages : JsonSerializer.Serialize(images, Default.IReadOnlyListString);

    public static IReadOnlyList<string> ReadImages(string json) => json == NoImages ? [] : JsonSerializer.Deserialize(json, Default.IReadOnlyListString) ?? [];
}
