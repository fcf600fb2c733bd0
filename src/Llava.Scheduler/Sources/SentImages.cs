using System.Runtime.CompilerServices;
using Llava.Contracts.Requests;
using Llava.Ledger.Files;

namespace Llava.Scheduler.Sources;

/// <summary>Images that are named by the ids of files which the job's tenant has sent become the places of their bytes.</summary>
internal sealed class SentImages(FileStore files, string tenant)
{
    /// <summary>Whether an image is named so.</summary>
    public static bool IsSent(string image) => image.StartsWith(SourceDescription.FileId, StringComparison.Ordinal);

    /// <summary>The same items; one is rejected whose file is not there.</summary>
    public async IAsyncEnumerable<SourceItem> ResolveAsync(IAsyncEnumerable<SourceItem> items, [EnumeratorCancellation] CancellationToken cancellation)
    {
        await foreach (var item in items.WithCancellation(cancellation))
        {
            yield return item.Item.Rejection is null && item.Item.Spec.Images.Any(IsSent) ? await ResolveAsync(item, cancellation) : item;
        }
    }

    private async Task<SourceItem> ResolveAsync(SourceItem item, CancellationToken cancellation)
    {
        List<string> images = [];
        foreach (var image in item.Item.Spec.Images)
        {
            if (!IsSent(image))
            {
                images.Add(image);
            }
            else if (await files.FindAsync(image[SourceDescription.FileId.Length..], tenant, cancellation) is { } file)
            {
                images.Add(files.PathOf(file));
            }
            else
            {
                return item with { Item = item.Item with { Rejection = new("file_not_found", $"{item.Place}: There is no file '{image[SourceDescription.FileId.Length..]}', or it has expired; send it again.") } };
            }
        }

        return item with { Item = item.Item with { Spec = item.Item.Spec with { Images = images } } };
    }
}
