using System.Runtime.CompilerServices;
using System.Text;
using Llava.Contracts.Requests;
using Llava.Hosting.Paths;

namespace Llava.Scheduler.Sources;

/// <summary>One image, or a text file with one image path per line.</summary>
internal sealed class ListSource(AllowedRoots roots) : IJobSource
{
    public async IAsyncEnumerable<SourceItem> ReadAsync(SourceDescription source, string? position, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var (path, folder) = SourceFile.Find(source, roots);
        if (ImageFiles.IsImage(path))
        {
            if (position is null)
            {
                yield return new(new(new(Path.GetFileName(path), [path])), "1");
            }

            yield break;
        }

        await foreach (var line in TextLines.ReadAsync(path, position, cancellation))
        {
            var image = Encoding.UTF8.GetString(line.Bytes.Span);
            yield return new(ImageReference.Resolve(new(image, [image]), roots, folder), line.Position);
        }
    }
}
