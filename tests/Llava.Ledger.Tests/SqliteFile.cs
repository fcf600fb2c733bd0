namespace Llava.Ledger.Tests;

/// <summary>A SQLite file.</summary>
internal sealed class SqliteFile : TestDatabase
{
    private readonly string _folder = Directory.CreateTempSubdirectory("llava-ledger-").FullName;

    public override void Configure(LedgerOptions options) => options.Location = Path.Combine(_folder, "deep", "ledger.db");

    public override Task DropAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return Task.CompletedTask;
    }
}
