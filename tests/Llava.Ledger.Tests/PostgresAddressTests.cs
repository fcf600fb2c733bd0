using Llava.Ledger.Storage;
using Llava.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Llava.Ledger.Tests;

public sealed class PostgresAddressTests
{
    [Theory]
    [InlineData("ledger.db")]
    [InlineData("/var/lib/llava/ledger.db")]
    [InlineData("a folder/host.db")]
    public void A_path_is_a_file(string location) => Assert.Null(PostgresAddress.Find(new() { Location = location }));

    [Theory]
    [InlineData("postgres://me:s%40crt@db.local:6543/books?sslmode=verify-full&connect_timeout=7")]
    [InlineData("postgresql://me:s%40crt@db.local:6543/books?sslmode=verify-full&connect_timeout=7")]
    [InlineData("Host=db.local;Port=6543;Database=books;Username=me;Password=s@crt;SSL Mode=VerifyFull;Timeout=7")]
    [InlineData("username=me;password=s@crt;server=db.local;port=6543;database=books;SslMode=VerifyFull;Timeout=7")]
    public void A_database_is_named_by_a_uri_or_a_connection_string(string location)
    {
        var address = PostgresAddress.Find(new() { Location = location })!;
        NpgsqlConnectionStringBuilder parts = new(address.ConnectionString);

        Assert.Equal(("db.local", 6543, "books", "me", "s@crt", SslMode.VerifyFull, 7), (parts.Host, parts.Port, parts.Database, parts.Username, parts.Password, parts.SslMode, parts.Timeout));
        Assert.Equal("database 'books' on host 'db.local', port 6543", address.ToString());
    }

    [Fact]
    public void The_password_may_come_from_a_file()
    {
        var file = Path.GetTempFileName();
        File.WriteAllText(file, "from file\n");

        var address = PostgresAddress.Find(new() { Location = "postgres://me@db", PasswordFile = file })!;

        NpgsqlConnectionStringBuilder parts = new(address.ConnectionString);
        Assert.Equal(("from file", 5432, "me"), (parts.Password, parts.Port, parts.Database));
        File.Delete(file);
    }

    [Theory]
    [InlineData("postgres://me@db/books?colour=red", "colour")]
    [InlineData("Host=db;Username=me;Colour=red", "colour")]
    [InlineData("postgres://db/books", "user")]
    [InlineData("postgres://me@", "cannot be read")]
    [InlineData("Host=db", "user")]
    public void What_looks_like_a_database_and_is_none_is_said_at_the_start_without_the_password(string location, string says)
    {
        using var services = new ServiceCollection().AddLlavaLedger(options => options.Configure(o => o.Location = location + (location.Contains(';') ? ";Password=hush" : ""))).BuildServiceProvider();

        var refused = Assert.Throws<OptionsValidationException>(services.GetRequiredService<IStartupValidator>().Validate);

        Assert.Contains(says, refused.Message, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("hush", refused.Message);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_named_with_what_to_check()
    {
        await using PostgresServer none = new();
        LedgerOptions options = new() { Location = $"postgres://me@127.0.0.1:{none.Port}/books", RetryFor = TimeSpan.Zero };
        await using var services = new ServiceCollection().AddLlavaLedger(o => o.Configure(given => (given.Location, given.RetryFor) = (options.Location, options.RetryFor))).BuildServiceProvider();

        var failure = await Assert.ThrowsAsync<LedgerUnreachableException>(services.GetRequiredService<LedgerSetup>().PrepareAsync);

        Assert.Contains($"database 'books' on host '127.0.0.1', port {none.Port}", failure.Message);
        Assert.Contains("Check that PostgreSQL runs there", failure.Message);
    }

    [Theory]
    [InlineData("ledger", "wrong", "Check the password of user 'tester'")]
    [InlineData("no_such_database", null, "Create the database")]
    public async Task A_refusal_is_not_tried_again_and_says_what_to_do(string name, string? password, string says)
    {
        PostgresTestDatabase existing = new();
        await existing.CreateAsync();
        NpgsqlConnectionStringBuilder parts = new(existing.Location);
        parts.Database = name == "ledger" ? parts.Database : name;
        parts.Password = password ?? parts.Password;
        await using var database = PostgresTestDatabase.Open(parts.ConnectionString);

        var failure = await Assert.ThrowsAsync<LedgerUnreachableException>(() => database.PrepareAsync().WaitAsync(TimeSpan.FromSeconds(20)));

        Assert.Contains(says, failure.Message);
        await existing.DropAsync();
    }
}
