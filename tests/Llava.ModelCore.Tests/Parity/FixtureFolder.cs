using System.Text.Json;
using Llava.Testing;

namespace Llava.ModelCore.Tests.Parity;

/// <summary>
/// The cases computed with the original implementation: the folder named by LLAVA_FIXTURES, or the copy in tests/Fixtures.
/// Cases are found by what their manifest says, so that another set of the same layout runs unchanged.
/// </summary>
internal static class FixtureFolder
{
    public static string Root { get; } = Environment.GetEnvironmentVariable("LLAVA_FIXTURES") is { Length: > 0 } named
        ? Path.GetFullPath(named)
        : Repository.Path("tests", "Fixtures");

    /// <summary>Case folders whose case name starts with the letter, for example 'J'.</summary>
    public static IReadOnlyList<string> Cases(string letter) => [.. Directory.EnumerateDirectories(Root)
        .Where(folder => File.Exists(Path.Combine(folder, "manifest.json")))
        .Where(folder => CaseName(folder).StartsWith(letter + "_", StringComparison.Ordinal))
        .Order(StringComparer.Ordinal)];

    /// <summary>The only case of a letter.</summary>
    public static string Case(string letter) => Assert.Single(Cases(letter));

    public static JsonElement Json(string folder, string file)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, file)));
        return document.RootElement.Clone();
    }

    private static string CaseName(string folder) => Json(folder, "manifest.json").GetProperty("case").GetString()!;
}
