namespace Llava.Cli.Clients;

/// <summary>The API key to show, and where it came from: that is what a person can put right.</summary>
/// <param name="Secret">The key; null where none was given.</param>
/// <param name="Origin">The file or variable.</param>
internal sealed record ServerKey(string? Secret, string Origin)
{
    public const string Variable = "LLAVA_API_KEY";

    /// <summary>Takes the file's key, or the variable's. Never one from the command line, which every user of the machine can list.</summary>
    /// <exception cref="UsageException">The file holds no key.</exception>
    public static ServerKey Find(FileInfo? file)
    {
        if (file is not null)
        {
            var text = File.ReadAllText(file.FullName).Trim();
            return text.Length > 0 && !text.Any(char.IsWhiteSpace)
                ? new(text, $"the file '{file}'")
                : throw new UsageException($"The file '{file}' must hold an API key and nothing else.");
        }

        return Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } secret
            ? new(secret.Trim(), $"the variable {Variable}")
            : new(null, $"nowhere: set {Variable} or give --api-key-file");
    }
}
