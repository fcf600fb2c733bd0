namespace Llava.ModelCore.Tests;

/// <summary>The checkout the tests were built from.</summary>
internal static class RepositoryFolder
{
    public static string Root { get; } = Find();

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Llava.Batch.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("Llava.Batch.sln not found above the tests.");
        }

        return folder.FullName;
    }
}
