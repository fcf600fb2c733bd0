using System.IO.Enumeration;
using System.Runtime.CompilerServices;
using Llava.Contracts.Requests;
using Llava.Hosting.Paths;

namespace Llava.Scheduler.Sources;

/// <summary>
/// A folder of images, walked by name in ordinal order; the position is the path of the last file. Hidden entries are left
/// out, and folders that are links are not entered.
/// </summary>
internal sealed class FolderSource(AllowedRoots roots) : IJobSource
{
    public async IAsyncEnumerable<SourceItem> ReadAsync(JobRequest request, string? position, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var source = request.Source;
        var root = Find(source);
        foreach (var name in Walk(root, "", position?.Split('/') ?? [], source.Recursive))
        {
            cancellation.ThrowIfCancellationRequested();
            if (IsWanted(name, source.Pattern))
            {
                yield return new(ImageReference.Resolve(new(name, [name]), roots, root), name);
            }
        }

        await Task.CompletedTask;
    }

    private string Find(SourceDescription source)
    {
        try
        {
            var root = roots.Resolve(source.Path, Directory.GetCurrentDirectory());
            return Directory.Exists(root) ? root : throw SourceException.NotFound(source.Path, "folder");
        }
        catch (PathNotAllowedException refused)
        {
            throw new SourceException(PathNotAllowedException.Code, refused.Message, refused);
        }
    }

    private static bool IsWanted(string name, string? pattern) => pattern is null
        ? ImageFiles.IsImage(name)
        : FileSystemName.MatchesSimpleExpression(pattern, pattern.Contains('/', StringComparison.Ordinal) ? name : Path.GetFileName(name));

    /// <summary>Files below <paramref name="folder"/> by relative name, those up to <paramref name="after"/> skipped without looking at them.</summary>
    private static IEnumerable<string> Walk(string folder, string prefix, ArraySegment<string> after, bool recursive)
    {
        var entries = new DirectoryInfo(folder).GetFileSystemInfos();
        Array.Sort(entries, (left, right) => string.CompareOrdinal(left.Name, right.Name));
        foreach (var entry in entries)
        {
            var order = after.Count == 0 ? 1 : string.CompareOrdinal(entry.Name, after[0]);
            if (order < 0 || entry.Name.StartsWith('.'))
            {
                continue;
            }

            if (entry is not DirectoryInfo)
            {
                if (order > 0)
                {
                    yield return prefix + entry.Name;
                }
            }
            else if (recursive && entry.LinkTarget is null)
            {
                foreach (var name in Walk(entry.FullName, $"{prefix}{entry.Name}/", order == 0 ? after[1..] : [], recursive))
                {
                    yield return name;
                }
            }
        }
    }
}
