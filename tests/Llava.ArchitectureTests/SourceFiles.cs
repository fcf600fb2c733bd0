using Llava.Testing;

namespace Llava.ArchitectureTests;

/// <summary>The product's C# files.</summary>
internal static class SourceFiles
{
    public static string Folder => Repository.Path("src");

    /// <summary>C# files below a folder, without generated migrations and build output.</summary>
    public static IEnumerable<string> Below(string folder) =>
        Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains("/Migrations/", StringComparison.Ordinal) && !f.Contains("/obj/", StringComparison.Ordinal));

    public static string Relative(string path) => Path.GetRelativePath(Repository.Root, path);
}
