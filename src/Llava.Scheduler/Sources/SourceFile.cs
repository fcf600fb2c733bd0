using Llava.Contracts.Requests;
using Llava.Hosting.Paths;

namespace Llava.Scheduler.Sources;

/// <summary>Finds the file that a source names.</summary>
internal static class SourceFile
{
    /// <summary>The real file, and the folder that image names inside it start from.</summary>
    /// <exception cref="SourceException">It is not there, or may not be read.</exception>
    public static (string Path, string ImageFolder) Find(SourceDescription source, AllowedRoots roots)
    {
        try
        {
            var path = roots.Resolve(source.Path, Directory.GetCurrentDirectory());
            return File.Exists(path)
                ? (path, source.ImageFolder is { } folder ? roots.Resolve(folder, Directory.GetCurrentDirectory()) : Path.GetDirectoryName(path)!)
                : throw SourceException.NotFound(source.Path, "file");
        }
        catch (PathNotAllowedException refused)
        {
            throw new SourceException(PathNotAllowedException.Code, refused.Message, refused);
        }
    }

    /// <summary>The same for a text file, which must not be UTF-16 or UTF-32: every line of it would be noise.</summary>
    public static (string Path, string ImageFolder) FindText(SourceDescription source, AllowedRoots roots)
    {
        var found = Find(source, roots);
        using var file = File.OpenRead(found.Path);
        Span<byte> start = stackalloc byte[4];
        return start[..file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)] is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..] or [0, 0, 0xFE, 0xFF]
            ? throw new SourceException("wrong_encoding", $"'{source.Path}' is UTF-16 or UTF-32 text; save it as UTF-8.")
            : found;
    }
}
