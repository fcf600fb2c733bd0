namespace Llava.Testing;

/// <summary>The checkout the tests were built from.</summary>
public static class Repository
{
    /// <summary>Its folder.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>A path inside it.</summary>
    public static string Path(params string[] parts) => System.IO.Path.Combine([Root, .. parts]);

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(System.IO.Path.Combine(folder.FullName, "Llava.Batch.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("Llava.Batch.sln not found above the tests.");
        }

        return folder.FullName;
    }
}
