using Llava.Contracts.Requests;

namespace Llava.Cli.Jobs;

/// <summary>A source by a path of the server's, which cannot be looked at from here: only its name says what it is.</summary>
internal static class ServerSource
{
    /// <param name="argument">What was typed.</param>
    /// <param name="kind">How to read it; null goes by the name.</param>
    /// <exception cref="UsageException">The path does not begin at the root, or its name does not say what it is.</exception>
    public static SourceDescription Parse(string argument, SourceKind? kind)
    {
        var path = RequireRooted(argument);
        return SourceArgument.IsGlob(path)
            ? SourceArgument.Glob(path, argument)
            : new SourceDescription { Kind = kind ?? KindOf(path), Path = path };
    }

    /// <exception cref="UsageException">The path does not begin at the root.</exception>
    public static string RequireRooted(string path) => Path.IsPathRooted(path)
        ? path
        : throw new UsageException($"'{path}' starts from a folder of this machine. With --server, give the path as the server sees it, from the root.");

    private static SourceKind KindOf(string path) => Path.GetExtension(path).ToLowerInvariant() switch
    {
        "" => SourceKind.Folder,
        ".csv" or ".tsv" or ".tab" => SourceKind.Table,
        ".parquet" => SourceKind.Parquet,
        ".tar" => SourceKind.WebDataset,
        ".jsonl" or ".ndjson" => SourceKind.Manifest,
        ".txt" or ".jpg" or ".jpeg" or ".png" or ".webp" or ".gif" or ".tif" or ".tiff" or ".avif" or ".bmp" => SourceKind.List,
        var suffix => throw new UsageException($"'{path}' lies on the server, and '{suffix}' does not say what it holds. Say --input-format, one of {string.Join(", ", SourceArgument.Kinds.Keys.Order(StringComparer.Ordinal))}."),
    };
}
