using Llava.Ledger.Training;
using Microsoft.AspNetCore.Http;

namespace Llava.Dashboard.OpenAi.FineTuning;

/// <summary>Which jobs are listed: those with these pairs, as <c>metadata[key]=value</c>, or those without any, as <c>metadata=null</c>.</summary>
internal sealed class MetadataFilter
{
    private const string Prefix = "metadata[";

    private readonly IReadOnlyList<KeyValuePair<string, string>> _pairs;
    private readonly bool _isForNone;

    private MetadataFilter(IReadOnlyList<KeyValuePair<string, string>> pairs, bool isForNone) => (_pairs, _isForNone) = (pairs, isForNone);

    public static MetadataFilter Of(HttpRequest request) => new(
        [.. request.Query.Where(one => one.Key.StartsWith(Prefix, StringComparison.Ordinal) && one.Key.EndsWith(']')).Select(one => KeyValuePair.Create(one.Key[Prefix.Length..^1], one.Value.ToString()))],
        request.Query["metadata"] == "null");

    public bool Takes(TrainingRunRecord run) => _isForNone
        ? run.Request.Metadata is null or { Count: 0 }
        : _pairs.All(pair => run.Request.Metadata is { } metadata && metadata.TryGetValue(pair.Key, out var value) && value == pair.Value);
}
