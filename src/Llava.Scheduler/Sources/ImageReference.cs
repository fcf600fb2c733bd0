using Llava.Contracts.Requests;
using Llava.Hosting.Paths;
using Llava.Ledger;
using Llava.Ledger.Expansion;

namespace Llava.Scheduler.Sources;

/// <summary>Turns the image names of an item into files that are there and may be read. URLs stay as they are, because the consumer that fetches them judges them, and so do ids of sent files (<see cref="SentImages"/>).</summary>
internal static class ImageReference
{
    /// <summary>Code of an item whose image is not there; the consumer's too.</summary>
    public const string NotFound = "image_not_found";

    private const string FileScheme = "file://";

    /// <summary>The item with real paths, or rejected when one of its images may not be read or is not there.</summary>
    public static ExpandedItem Resolve(ItemSpec spec, AllowedRoots roots, string folder)
    {
        try
        {
            List<string> images = [];
            foreach (var image in spec.Images)
            {
                var location = ImageLocation.IsUrl(image) || SentImages.IsSent(image) ? (ImageLocation?)null : Resolve(image, roots, folder);
                if (location is { Exists: false } missing)
                {
                    return new(spec, new(NotFound, $"The image '{image}' does not exist as '{missing.Path}'; check the name and the image folder."));
                }

                images.Add(location?.ToString() ?? image);
            }

            return new(spec with { Images = images });
        }
        catch (PathNotAllowedException refused)
        {
            return new(spec, new(PathNotAllowedException.Code, refused.Message));
        }
    }

    private static ImageLocation Resolve(string image, AllowedRoots roots, string folder)
    {
        if (DataUrl.IsDataUrl(image))
        {
            throw new PathNotAllowedException($"{image[..Math.Min(image.Length, 30)]}…", "it is an image inside a URL, which only OpenAI batch files may hold");
        }

        var isFile = image.StartsWith(FileScheme, StringComparison.OrdinalIgnoreCase);
        if (image.Contains("://", StringComparison.Ordinal) && !(isFile && Uri.TryCreate(image, UriKind.Absolute, out var url) && url.Host.Length == 0))
        {
            throw new PathNotAllowedException(image, "it is a URL, and only http, https and local files are read");
        }

        var location = ImageLocation.Parse(isFile ? Uri.UnescapeDataString(image[FileScheme.Length..]) : image);
        return location with { Path = roots.Resolve(location.Path, folder) };
    }
}
