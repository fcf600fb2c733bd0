using System.Runtime.CompilerServices;
using Llava.Contracts.Requests;
using Llava.Hosting.Paths;

namespace Llava.Scheduler.Sources;

/// <summary>One image, or a text file with one image path, or one URL, per line.</summary>
/// <param name="roots">What may be read.</param>
/// <param name="ofUrls">Whether every line is a URL, and a file of one image none.</param>
internal sealed class ListSource(AllowedRoots roots, bool ofUrls = false) : IJobSource
{
    public async IAsyncEnumerable<SourceItem> ReadAsync(JobRequest request, string? position, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var (path, folder) = SourceFile.Find(request.Source, roots);
        if (!ofUrls && ImageFiles.IsImage(path))
        {
            if (position is null)
            {
                yield return new(new(new(Path.GetFileName(path), [path])), "1");
            }

            yield break;
        }

        (path, folder) = SourceFile.FindText(request.Source, roots);
        RecordItems items = new(roots, "line", path, folder);
        await foreach (var line in TextLines.ReadAsync(path, position, cancellation))
        {
            yield return items.Make(line.Number, line.Position, _ => Parse(line.Bytes.Span));
        }
    }

    private ParsedRecord Parse(ReadOnlySpan<byte> line)
    {
        var image = RecordText.Decode(line);
        if (ofUrls && !ImageLocation.IsUrl(image))
        {
            throw new FormatException("it is no http or https URL.");
        }

        return new(new(image, [image]), new Dictionary<string, string>());
    }
}
