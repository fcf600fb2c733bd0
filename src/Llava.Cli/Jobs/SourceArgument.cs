using Llava.Contracts.Requests;

namespace Llava.Cli.Jobs;

/// <summary>What the user typed as source: a folder, a glob, one image, a list of paths or a file of a known format.</summary>
internal static class SourceArgument
{
    private static readonly char[] Wildcards = ['*', '?'];

    /// <summary>Kinds as they are typed.</summary>
    public static IReadOnlyDictionary<string, SourceKind> Kinds { get; } =
        SourceDescription.KindNames.Zip(Enum.GetValues<SourceKind>()).ToDictionary(kind => kind.First.Replace('_', '-'), kind => kind.Second, StringComparer.OrdinalIgnoreCase);

    /// <param name="argument">What was typed.</param>
    /// <param name="kind">How to read it; null recognises it.</param>
    /// <exception cref="UsageException">There is no such folder or file.</exception>
    public static SourceDescription Parse(string argument, SourceKind? kind = null)
    {
        var path = Path.GetFullPath(argument);
        if (IsGlob(argument) && !Path.Exists(path))
        {
            var glob = Glob(path, argument);
            return Directory.Exists(glob.Path) ? glob : throw new UsageException($"'{glob.Path}' is not a folder.");
        }

        if (Directory.Exists(path))
        {
            return new SourceDescription { Kind = SourceKind.Folder, Path = path };
        }

        if (!File.Exists(path))
        {
            throw new UsageException($"'{argument}' is neither a folder nor a file. Give a folder of images, a glob such as 'photos/*.jpg', an image, a .txt list of paths, or a .jsonl, .csv, .tsv, .parquet, .tar or .json file.");
        }

        return new SourceDescription { Kind = kind ?? SourceRecognition.KindOf(path), Path = path };
    }

    /// <summary>Whether the text has wildcards.</summary>
    public static bool IsGlob(string argument) => argument.IndexOfAny(Wildcards) >= 0;

    /// <summary><c>photos/*.jpg</c> is one folder's files, <c>photos/**/*.jpg</c> those of the folders below it too.</summary>
    /// <exception cref="UsageException">There are wildcards elsewhere.</exception>
    public static SourceDescription Glob(string path, string argument)
    {
        var parts = path.Split(Path.DirectorySeparatorChar);
        var first = Array.FindIndex(parts, p => p.IndexOfAny(Wildcards) >= 0);
        var folder = string.Join(Path.DirectorySeparatorChar, parts[..first]);
        var rest = parts[first..];
        var isRecursive = rest is ["**", _];
        if (!isRecursive && rest.Length != 1)
        {
            throw new UsageException($"'{argument}' has wildcards in the middle. Use 'folder/*.jpg', or 'folder/**/*.jpg' for the folders below too.");
        }

        return new SourceDescription { Kind = SourceKind.Folder, Path = folder, Pattern = rest[^1], Recursive = isRecursive };
    }
}
