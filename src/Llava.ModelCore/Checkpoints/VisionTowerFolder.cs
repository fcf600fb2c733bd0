namespace Llava.ModelCore.Checkpoints;

/// <summary>Finds the folder <c>mm_vision_tower</c> means on this machine; the network is never asked.</summary>
internal static class VisionTowerFolder
{
    /// <summary>The folders a name may mean, in the order they are tried.</summary>
    /// <param name="name">The config's <c>mm_vision_tower</c>.</param>
    /// <param name="checkpoint">The checkpoint's folder.</param>
    /// <param name="explicitFolder">The only candidate, when given.</param>
    public static IReadOnlyList<string> Candidates(string? name, string checkpoint, string? explicitFolder)
    {
        if (explicitFolder is not null)
        {
            return [Path.GetFullPath(explicitFolder)];
        }

        // Combine lets an absolute name stand for itself.
        return string.IsNullOrEmpty(name) ? [] : [.. ((string[])[checkpoint, Path.GetDirectoryName(checkpoint) ?? checkpoint, Directory.GetCurrentDirectory()])
            .Select(start => Path.GetFullPath(Path.Combine(start, name))).Distinct(StringComparer.Ordinal)];
    }

    /// <summary>The first candidate with a file of that name; null when none has it.</summary>
    public static string? With(IReadOnlyList<string> candidates, string file) =>
        candidates.Select(folder => Path.Combine(folder, file)).FirstOrDefault(File.Exists);
}
