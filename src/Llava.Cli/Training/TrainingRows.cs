using Llava.Ledger.Files;

namespace Llava.Cli.Training;

/// <summary>Files of rows, which a run learns from as they were when it was asked for.</summary>
internal static class TrainingRows
{
    private const string FineTune = "fine-tune";
    private const string Tenant = "default";

    /// <summary>Keeps the file with the ledger, and returns its id.</summary>
    public static async Task<string> KeepAsync(this FileStore files, FileInfo file, CancellationToken cancellationToken)
    {
        if (!file.Exists)
        {
            throw new UsageException($"'{file}' does not exist. Give rows to learn from: OpenAI chats as JSONL, or LLaVA conversations.");
        }

        await using var content = file.OpenRead();
        return (await files.CreateAsync(Tenant, new(file.Name, FineTune), content, long.MaxValue, cancellationToken)).Id;
    }
}
