using System.Collections.Frozen;

namespace Llava.Scheduler.Sources;

/// <summary>Which files are images, by suffix.</summary>
internal static class ImageFiles
{
    private static readonly FrozenSet<string> Suffixes =
        new[] { ".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff", ".avif", ".bmp" }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    public static bool IsImage(string path) => Suffixes.Contains(Path.GetExtension(path));
}
