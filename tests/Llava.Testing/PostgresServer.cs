using Npgsql;

namespace Llava.Testing;

/// <summary>A PostgreSQL of a test's own, from the system's newest installation.</summary>
/// <param name="survivesPowerCut">Whether commits reach the disk. Tests need not pay for that: a killed server loses nothing either way.</param>
public sealed class PostgresServer(bool survivesPowerCut = false) : TestServer("postgres", user: "postgres")
{
    /// <summary>The superuser's name.</summary>
    public const string User = "tester";

    private const string Installations = "/usr/lib/postgresql";

    private string? _password;

    /// <summary>Where the database of this name is found, by its superuser.</summary>
    public string ConnectionString(string database) => Connection(database, pooling: true);

    /// <summary>File that holds the superuser's password.</summary>
    public string PasswordFile => Path.Combine(Folder, "password");

    /// <summary>Creates a database, empty or as a copy.</summary>
    /// <param name="name">Its name: letters, digits and underscores.</param>
    /// <param name="template">Database to copy, which nobody may be connected to.</param>
    public Task CreateDatabaseAsync(string name, string template = "template1") => ExecuteAsync($"create database {name} template {template}");

    /// <summary>Deletes a database, whoever is connected.</summary>
    public Task DropDatabaseAsync(string name) => ExecuteAsync($"drop database {name} with (force)");

    /// <summary>Runs a statement of the test's own.</summary>
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Security", "CA2100", Justification = "The test's own text.")]
    public async Task ExecuteAsync(string sql, string database = "postgres")
    {
        await using NpgsqlConnection connection = new(Connection(database, pooling: false));
        await connection.OpenAsync();
        await using NpgsqlCommand command = new(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <inheritdoc/>
    protected override string StopSignal => "INT"; // "fast": ends sessions instead of waiting for them

    /// <inheritdoc/>
    protected override IReadOnlyList<string> Command =>
    [
        Program("postgres"), "-D", Data,
        "-c", "listen_addresses=127.0.0.1", "-c", $"port={Port}", "-c", "unix_socket_directories=",
        "-c", "max_connections=200", "-c", "shared_buffers=128MB", "-c", "max_wal_size=2GB",
        "-c", $"fsync={(survivesPowerCut ? "on" : "off")}", "-c", $"full_page_writes={(survivesPowerCut ? "on" : "off")}",
    ];

    private string Data => Path.Combine(Folder, "data");

    /// <inheritdoc/>
    protected override async Task PrepareAsync()
    {
        if (_password is null)
        {
            _password = Guid.NewGuid().ToString("n");
            await File.WriteAllTextAsync(PasswordFile, _password + "\n");
            await RunAsUserAsync(Program("initdb"), "-D", Data, "-U", User, $"--pwfile={PasswordFile}", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync");
        }
    }

    /// <inheritdoc/>
    protected override async Task<bool> AnswersAsync()
    {
        try
        {
            await using NpgsqlConnection connection = new(Connection("postgres", pooling: false));
            await connection.OpenAsync();
            return true;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    private string Connection(string database, bool pooling) =>
        new NpgsqlConnectionStringBuilder { Host = "127.0.0.1", Port = Port, Database = database, Username = User, Password = _password, Pooling = pooling, Timeout = 5 }.ConnectionString;

    private static string Program(string name)
    {
        var newest = Directory.Exists(Installations)
            ? Directory.EnumerateDirectories(Installations).MaxBy(folder => int.TryParse(Path.GetFileName(folder), out var version) ? version : 0)
            : null;
        return newest is null
            ? throw new FileNotFoundException($"There is no PostgreSQL below '{Installations}'; tests/run.sh installs it.")
            : Path.Combine(newest, "bin", name);
    }
}
