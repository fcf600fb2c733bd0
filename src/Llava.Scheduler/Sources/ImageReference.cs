using Llava.Contracts.Requests;
using Llava.Hosting.Paths;
using Llava.Ledger;
using Llava.Ledger.Expansion;

namespace Llava.Scheduler.Sources;

/// <summary>Turns the image names of an item into files that may be read.</summary>
internal static class ImageReference
{
    /// <summary>The item with real paths, or rejected when one of its images may not be read.</summary>
    public static ExpandedItem Resolve(ItemSpec spec, AllowedRoots roots, string folder)
    {
        try
        {
            return new(spec with { Images = [.. spec.Images.Select(image => Resolve(image, roots, folder))] });
        }
        catch (PathNotAllowedException refused)
        {
            return new(spec, new(PathNotAllowedException.Code, refused.Message));
        }
    }

    private static string Resolve(string image, AllowedRoots roots, string folder) => image.Contains("://", StringComparison.Ordinal)
        ? throw new PathNotAllowedException(image, "it is a URL, and images are read from local files only")
        : roots.Resolve(image, folder);
}
