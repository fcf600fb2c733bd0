using System.Collections.Concurrent;

namespace Llava.Hosting.Paths;

/// <summary>Folders below which local files may be read. Links are followed in every component of a path before it is judged.</summary>
/// <param name="roots">The folders; none means that nothing may be read.</param>
public sealed class AllowedRoots(IEnumerable<string> roots)
{
    private const int MaxPathLength = 4096;
    private const int MaxLinks = 16;

    // Folders are few and files are many: each folder's links are followed once.
    private readonly ConcurrentDictionary<string, string> _realFolders = [];
    private readonly Lock _allowing = new();
    private volatile string[] _roots = RealRoots(roots);

    /// <summary>Allows more folders from now on.</summary>
    public void Allow(IEnumerable<string> folders)
    {
        lock (_allowing)
        {
            _roots = [.. _roots.Union(RealRoots(folders))];
        }
    }

    /// <summary>The same folders and this file or folder too.</summary>
    public AllowedRoots With(string path) => new([.. _roots, path]);

    /// <summary>The file or folder that <paramref name="path"/> really names.</summary>
    /// <param name="path">Absolute, or relative to <paramref name="folder"/>.</param>
    /// <param name="folder">Folder that relative paths start from.</param>
    /// <exception cref="PathNotAllowedException">It lies below no allowed folder, or is no path.</exception>
    public string Resolve(string path, string folder)
    {
        if (path.Length is 0 or > MaxPathLength || path.Contains('\0', StringComparison.Ordinal))
        {
            throw new PathNotAllowedException(path, "it is empty, too long or holds a NUL");
        }

        var full = Path.GetFullPath(Path.Combine(Path.GetFullPath(folder), path));
        var real = Path.GetDirectoryName(full) is { } parent
            ? RealFile(Path.Combine(RealFolder(parent), Path.GetFileName(full)))
            : full;
        return IsAllowed(real) ? real : throw new PathNotAllowedException(path, _roots.Length == 0
            ? "no folder is allowed; name those that may be read in Llava:Scheduler:ImageRoots"
            : $"it lies outside of {string.Join(", ", _roots.Select(root => $"'{root}'"))}");
    }

    private static string[] RealRoots(IEnumerable<string> folders) => [.. folders.Select(folder => Real(Path.GetFullPath(folder), 0))];

    private bool IsAllowed(string real) => Array.Exists(_roots, root =>
        real == root || (real.StartsWith(root, StringComparison.Ordinal) && (Path.EndsInDirectorySeparator(root) || real[root.Length] == Path.DirectorySeparatorChar)));

    private string RealFolder(string folder)
    {
        if (!_realFolders.TryGetValue(folder, out var real))
        {
            real = Real(folder, 0);
            if (_realFolders.Count < 100_000)
            {
                _realFolders[folder] = real;
            }
        }

        return real;
    }

    private static string RealFile(string path) => new FileInfo(path).LinkTarget is null ? path : Real(path, 0);

    private static string Real(string path, int links)
    {
        var real = Path.GetPathRoot(path)!;
        foreach (var part in path[real.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries))
        {
            var parent = real;
            real = Path.Combine(parent, part);
            if (new FileInfo(real).LinkTarget is { } target)
            {
                real = links < MaxLinks
                    ? Real(Path.GetFullPath(Path.Combine(parent, target)), links + 1)
                    : throw new PathNotAllowedException(path, $"it goes through more than {MaxLinks} links");
            }
        }

        return real;
    }
}

/// <summary>A path may not be read.</summary>
public sealed class PathNotAllowedException(string path, string reason) : Exception($"The path '{path}' may not be read: {reason}.")
{
    /// <summary>Code under which it is reported.</summary>
    public const string Code = "path_not_allowed";
}
