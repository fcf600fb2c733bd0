using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Llava.Contracts.Requests;
using Llava.Hosting.Paths;
using Llava.Ledger.Expansion;

namespace Llava.Scheduler.Sources;

/// <summary>
/// A JSON Lines file. A line that cannot be understood becomes an item that failed with <see cref="InvalidLine"/>, so that one
/// bad line hurts no other and none goes missing from the results.
/// </summary>
/// <param name="roots">What may be read.</param>
/// <param name="parse">Makes an item of a line's object; throws <see cref="FormatException"/> with the reason when it is none.</param>
internal sealed class JsonLinesSource(AllowedRoots roots, Func<JsonElement, string, ItemSpec> parse) : IJobSource
{
    /// <summary>Code of an item whose line cannot be understood.</summary>
    public const string InvalidLine = "invalid_line";

    private static readonly JsonDocumentOptions Limits = new() { MaxDepth = 16 };

    public async IAsyncEnumerable<SourceItem> ReadAsync(SourceDescription source, string? position, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var (path, folder) = SourceFile.Find(source, roots);
        await foreach (var line in TextLines.ReadAsync(path, position, cancellation))
        {
            yield return new(Expand(line, path, folder), line.Position);
        }
    }

    private ExpandedItem Expand(TextLine line, string path, string folder)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"line-{line.Number}");
        try
        {
            using var json = JsonDocument.Parse(line.Bytes, Limits);
            return ImageReference.Resolve(parse(json.RootElement, name), roots, folder);
        }
        catch (Exception reason) when (reason is JsonException or FormatException or InvalidOperationException)
        {
            return new(new(name, []), new(InvalidLine, $"Line {line.Number} of '{path}' cannot be used: {reason.Message}"));
        }
    }
}
