using System.Net.Sockets;
using Npgsql;

namespace Llava.Ledger.Storage;

/// <summary>Which of PostgreSQL's faults pass by themselves, and what to tell about the others.</summary>
internal static class PostgresFaults
{
    private const string IdleInTransaction = "25P03"; // which Npgsql has no name for
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(3);

    /// <summary>Whether trying again may help: the server restarts or cannot be reached, a concurrent write was preferred to this one, or this process was frozen in the middle of it.</summary>
    public static bool IsTransient(Exception failure) => failure is PostgresException postgres
        ? postgres.IsTransient || postgres.SqlState is PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown or PostgresErrorCodes.CannotConnectNow
            or IdleInTransaction
        : failure is NpgsqlException { IsTransient: true } or NpgsqlException { InnerException: IOException or SocketException or TimeoutException };

    /// <summary>Whether the server was reached and lets this user do nothing: another try changes nothing, an operator must.</summary>
    public static bool IsRefusal(Exception failure) => failure is PostgresException
    {
        SqlState: PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification
            or PostgresErrorCodes.InvalidCatalogName or PostgresErrorCodes.InsufficientPrivilege,
    } or NpgsqlException { IsTransient: false, SqlState: null };

    /// <summary>Doubles up to a few seconds; the random part keeps those that collided from colliding again.</summary>
    public static TimeSpan PauseAfter(int tries)
    {
        var pause = Math.Min(LongestPause.TotalMilliseconds, FirstPause.TotalMilliseconds * Math.Pow(2, Math.Min(tries, 16)));
        return TimeSpan.FromMilliseconds(pause * (0.5 + Random.Shared.NextDouble()));
    }

    /// <summary>The failure in an operator's words: which database, why, what to check.</summary>
    public static LedgerUnreachableException Explain(PostgresAddress address, Exception failure, bool mayBeCommitted)
    {
        var check = (failure as PostgresException)?.SqlState switch
        {
            PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification =>
                $"Check the password of user '{address.User}' (Llava:Ledger:PasswordFile) and the server's pg_hba.conf.",
            PostgresErrorCodes.InvalidCatalogName => "Create the database, or name another in Llava:Ledger.",
            PostgresErrorCodes.InsufficientPrivilege =>
                $"Grant user '{address.User}' what it needs: 'create' on the database to set the schema '{PostgresAddress.Schema}' up, or rights on the tables of that schema.",
            PostgresErrorCodes.TooManyConnections => "Raise the server's max_connections, or lower 'Maximum Pool Size' in Llava:Ledger.",
            _ => "Check that PostgreSQL runs there, that this machine may reach it, and that Llava:Ledger names it.",
        };
        var unknown = mayBeCommitted ? " Whether the last write was recorded is not known." : "";
        return new($"The ledger, {address}, cannot be used: {Reason(failure)}.{unknown} {check}", failure);
    }

    /// <summary>What the server or the network said, without a full stop.</summary>
    public static string Reason(Exception failure) => (failure switch
    {
        PostgresException postgres => $"{postgres.MessageText} ({postgres.SqlState})",
        NpgsqlException { InnerException: { } inner } => inner.Message,
        _ => failure.Message,
    }).TrimEnd('.');
}
