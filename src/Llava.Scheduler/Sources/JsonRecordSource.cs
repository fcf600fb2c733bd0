using System.Runtime.CompilerServices;
using System.Text.Json;
using Llava.Contracts.Requests;
using Llava.Hosting.Paths;

namespace Llava.Scheduler.Sources;

/// <summary>A file of JSON records, one after the other.</summary>
/// <param name="roots">What may be read.</param>
/// <param name="format">How its records are found and understood.</param>
internal sealed class JsonRecordSource(AllowedRoots roots, JsonFormat format) : IJobSource
{
    private static readonly JsonDocumentOptions Limits = new() { MaxDepth = 16 };

    public async IAsyncEnumerable<SourceItem> ReadAsync(JobRequest request, string? position, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var (path, folder) = SourceFile.FindText(request.Source, roots);
        RecordItems items = new(roots, format.Unit, path, folder);
        await foreach (var text in format.Read(path, position, cancellation))
        {
            yield return items.Make(text.Number, text.Position, name => Parse(text, name, path, request));
        }
    }

    private ParsedRecord Parse(TextRecord text, string name, string path, JobRequest request)
    {
        using var json = JsonDocument.Parse(text.Bytes, Limits);
        return format.Parse(new(json.RootElement, name, text, path, request));
    }
}

/// <summary>A kind of JSON file.</summary>
/// <param name="Unit">What its records are called.</param>
/// <param name="Read">Finds the records of a file, from a position on.</param>
/// <param name="Parse">Understands one.</param>
internal sealed record JsonFormat(string Unit, Func<string, string?, CancellationToken, IAsyncEnumerable<TextRecord>> Read, Func<JsonRecord, ParsedRecord> Parse);

/// <summary>One record of a JSON file.</summary>
/// <param name="Json">Its value.</param>
/// <param name="Name">What its item is called where it has no name of its own.</param>
/// <param name="Text">Its bytes and where they stand.</param>
/// <param name="Path">The file.</param>
/// <param name="Request">The job it is read for.</param>
internal readonly record struct JsonRecord(JsonElement Json, string Name, TextRecord Text, string Path, JobRequest Request);
