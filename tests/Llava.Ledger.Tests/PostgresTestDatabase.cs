using Llava.Ledger.Storage;
using Llava.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Llava.Ledger.Tests;

/// <summary>A PostgreSQL database; all tests share one server.</summary>
internal sealed class PostgresTestDatabase : TestDatabase
{
    private const string Template = "migrated";

    private static readonly Lazy<Task<PostgresServer>> Shared = new(StartAsync);
    private static int _count;

    private readonly string _name = $"ledger{Interlocked.Increment(ref _count)}";
    private readonly bool _isMigrated;
    private string? _location;

    /// <param name="isMigrated">Whether it has the ledger's schema already, which is quicker than making it.</param>
    public PostgresTestDatabase(bool isMigrated = true) => _isMigrated = isMigrated;

    public string Location => _location!;

    public override async Task CreateAsync()
    {
        var server = await Shared.Value;
        await (_isMigrated ? server.CreateDatabaseAsync(_name, Template) : server.CreateDatabaseAsync(_name));
        _location = server.ConnectionString(_name);
    }

    public override void Configure(LedgerOptions options) => options.Location = Location;

    public override async Task DropAsync() => await (await Shared.Value).DropDatabaseAsync(_name);

    /// <summary>A ledger's database as its own process would open it.</summary>
    public static PostgresDatabase Open(string location)
    {
        LedgerOptions options = new() { Location = location };
        return new(PostgresAddress.Find(options)!, options, new LedgerClock(TimeProvider.System), NullLogger.Instance);
    }

    private static async Task<PostgresServer> StartAsync()
    {
        PostgresServer server = new();
        await server.StartAsync();
        await server.CreateDatabaseAsync(Template);
        await using var database = Open(server.ConnectionString(Template));
        await database.PrepareAsync();
        return server;
    }
}
