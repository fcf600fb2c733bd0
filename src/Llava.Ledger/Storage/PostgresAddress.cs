using System.Text.RegularExpressions;
using Npgsql;

namespace Llava.Ledger.Storage;

/// <summary>A PostgreSQL database: how to reach it, and what to call it in messages, which never show the password.</summary>
public sealed partial class PostgresAddress
{
    /// <summary>The schema that holds the ledger's tables, so that a database may be shared.</summary>
    public const string Schema = "llava";

    private readonly NpgsqlConnectionStringBuilder _parts;

    private PostgresAddress(NpgsqlConnectionStringBuilder parts) => _parts = parts;

    /// <summary>Everything that is needed to connect, the password included.</summary>
    public string ConnectionString => _parts.ConnectionString;

    /// <summary>User that connects.</summary>
    public string User => _parts.Username ?? "";

    /// <summary>The database that <see cref="LedgerOptions.Location"/> names, or null when it names a SQLite file.</summary>
    /// <exception cref="FormatException">It looks like a database and cannot be read as one.</exception>
    public static PostgresAddress? Find(LedgerOptions options)
    {
        var location = options.Location;
        var parts = location.StartsWith("postgres://", StringComparison.Ordinal) || location.StartsWith("postgresql://", StringComparison.Ordinal) ? ReadUri(location)
            : NamesHost().IsMatch(location) ? Read(() => new NpgsqlConnectionStringBuilder(location))
            : null;
        if (parts is null)
        {
            return null;
        }

        if (options.PasswordFile is { } file)
        {
            parts.Password = File.ReadAllText(file).Trim();
        }

        SetDefaults(parts);
        return new(parts);
    }

    /// <inheritdoc/>
    public override string ToString() => $"database '{_parts.Database}' on host '{_parts.Host}', port {_parts.Port}";

    /// <summary>What is wrong with the options' location, or null.</summary>
    internal static string? Problem(LedgerOptions options)
    {
        try
        {
            Find(options);
            return null;
        }
        catch (FormatException failure)
        {
            return failure.Message;
        }
    }

    /// <summary>The same database on a connection of its own, which ends with its user and leaves nothing behind.</summary>
    internal string WithoutPool(int commandTimeoutSeconds) => new NpgsqlConnectionStringBuilder(ConnectionString)
    {
        Pooling = false,
        CommandTimeout = commandTimeoutSeconds,
        KeepAlive = 15, // such a connection is mostly silent: a dead peer must be noticed
    }.ConnectionString;

    /// <summary>What suits the ledger where the operator said nothing.</summary>
    private static void SetDefaults(NpgsqlConnectionStringBuilder parts)
    {
        parts.SearchPath = Schema;
        parts.Database ??= parts.Username;
        parts.NoResetOnClose = true; // no session state is ever left behind
        Default("Application Name", "llava");
        Default("Maximum Pool Size", 20); // a dozen processes share a server's usual hundred connections
        Default("Command Timeout", 120); // deleting or closing a job of a million items is one statement
        Default("Max Auto Prepare", 100);
        Default("Auto Prepare Min Usages", 2);

        void Default(string key, object value)
        {
            if (!parts.ContainsKey(key))
            {
                parts[key] = value;
            }
        }
    }

    private static NpgsqlConnectionStringBuilder ReadUri(string location) => Read(() =>
    {
        Uri uri = new(location);
        var user = uri.UserInfo.Split(':', 2);
        NpgsqlConnectionStringBuilder parts = new() { Host = uri.Host, Port = uri.Port > 0 ? uri.Port : NpgsqlConnection.DefaultPort };
        parts.Username = user[0] is "" ? null : Uri.UnescapeDataString(user[0]);
        parts.Password = user.Length > 1 ? Uri.UnescapeDataString(user[1]) : null;
        parts.Database = uri.AbsolutePath.Length > 1 ? Uri.UnescapeDataString(uri.AbsolutePath[1..]) : null;
        foreach (var setting in uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var (key, value) = setting.Split('=', 2) is [var left, var right] ? (left, Uri.UnescapeDataString(right)) : (setting, "");
            parts[LibpqKey(key)] = key == "sslmode" ? value.Replace("-", "", StringComparison.Ordinal) : value;
        }

        return parts;
    });

    /// <summary>PostgreSQL's own names of settings, as URIs have them, in the driver's words.</summary>
    private static string LibpqKey(string key) => key switch
    {
        "sslmode" => "SSL Mode",
        "sslrootcert" => "Root Certificate",
        "application_name" => "Application Name",
        "connect_timeout" => "Timeout",
        _ => Uri.UnescapeDataString(key),
    };

    /// <summary>The driver's message names the setting it does not understand; the location itself is not repeated, for it may hold a password.</summary>
    private static NpgsqlConnectionStringBuilder Read(Func<NpgsqlConnectionStringBuilder> read)
    {
        try
        {
            var parts = read();
            return !string.IsNullOrEmpty(parts.Host) && !string.IsNullOrEmpty(parts.Username)
                ? parts
                : throw new FormatException("Llava:Ledger names a PostgreSQL database without a host or a user; write postgres://user@host:5432/database.");
        }
        catch (Exception failure) when (failure is ArgumentException or UriFormatException)
        {
            throw new FormatException($"Llava:Ledger looks like a PostgreSQL database and cannot be read: {failure.Message} Write postgres://user@host:5432/database or Host=…;Database=…;Username=….", failure);
        }
    }

    [GeneratedRegex(@"(^|;)\s*(host|server)\s*=", RegexOptions.IgnoreCase)]
    private static partial Regex NamesHost();
}
