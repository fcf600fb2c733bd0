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
}
