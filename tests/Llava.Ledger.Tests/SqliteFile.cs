namespace Llava.Ledger.Tests;

/// <summary>A SQLite file that one test owns.</summary>
internal sealed class SqliteFile
{
    private readonly string _folder = Directory.CreateTempSubdirectory("llava-ledger-").FullName;

    public void Configure(LedgerOptions options) => options.Path = Path.Combine(_folder, "deep", "ledger.db");

    public Task DropAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return Task.CompletedTask;
    }
}
