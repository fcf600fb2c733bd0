namespace Llava.Cli.Embedded;

/// <summary>Where the embedded mode keeps its ledger (docs/decisions/0003-embedded-state.md).</summary>
internal static class DataFolder
{
    public const string Variable = "LLAVA_DATA";

    /// <summary>The folder named on the command line, by <see cref="Variable"/>, or the user's own data folder.</summary>
    public static string Resolve(DirectoryInfo? named)
    {
        if (named is not null)
        {
            return named.FullName;
        }

        var variable = Environment.GetEnvironmentVariable(Variable);
        return !string.IsNullOrEmpty(variable)
            ? Path.GetFullPath(variable)
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "llava-batch");
    }
}
