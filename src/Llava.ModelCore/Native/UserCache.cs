namespace Llava.ModelCore.Native;

/// <summary>Files that can be made again, kept for the next process of this user: <c>$XDG_CACHE_HOME/llava-batch</c>.</summary>
internal static class UserCache
{
    /// <summary>A folder below the cache; it need not exist.</summary>
    public static string Folder(string name)
    {
        var cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        var root = !string.IsNullOrEmpty(cache) ? cache
            : !string.IsNullOrEmpty(home) ? Path.Combine(home, ".cache")
            : Path.GetTempPath();
        return Path.Combine(root, "llava-batch", name);
    }

    /// <summary>Writes a file so that it is there as a whole or not at all, whoever else writes it at this moment.</summary>
    public static void Write(string file, ReadOnlySpan<byte> content)
    {
        var folder = Path.GetDirectoryName(file)!;
        Directory.CreateDirectory(folder);
        var aside = Path.Combine(folder, Path.GetRandomFileName());
        File.WriteAllBytes(aside, content);
        File.Move(aside, file, overwrite: true);
    }
}
