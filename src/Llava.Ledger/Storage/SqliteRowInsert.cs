using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Llava.Ledger.Storage;

/// <summary>
/// One statement run for many rows, its parameters bound by position straight into SQLite: no names to look up and
/// nothing boxed, because rows are what the writer spends its time on.
/// </summary>
internal sealed class SqliteRowInsert : IDisposable
{
    private readonly sqlite3 _database;
    private readonly sqlite3_stmt _statement;
    private byte[] _text = new byte[1024];
    private int _next = 1;

    public SqliteRowInsert(LedgerSession session, string sql)
    {
        _database = ((SqliteConnection)session.Connection).Handle!;
        Check(raw.sqlite3_prepare_v2(_database, sql, out _statement));
    }

    public SqliteRowInsert Bind(long value)
    {
        Check(raw.sqlite3_bind_int64(_statement, _next++, value));
        return this;
    }

    public SqliteRowInsert Bind(double value)
    {
        Check(raw.sqlite3_bind_double(_statement, _next++, value));
        return this;
    }

    public SqliteRowInsert Bind(long? value) => value is { } number ? Bind(number) : BindNull();

    public SqliteRowInsert Bind(double? value) => value is { } number ? Bind(number) : BindNull();

    public SqliteRowInsert Bind(string? value)
    {
        if (value is null)
        {
            return BindNull();
        }

        // An empty span has no address, and SQLite takes no address for null.
        Check(value.Length == 0
            ? raw.sqlite3_bind_text(_statement, _next++, "")
            : raw.sqlite3_bind_text(_statement, _next++, Encode(value)));
        return this;
    }

    /// <summary>Inserts the row that was bound and makes ready for the next.</summary>
    public void Run()
    {
        var code = raw.sqlite3_step(_statement);
        raw.sqlite3_reset(_statement);
        _next = 1;
        if (code is not (raw.SQLITE_DONE or raw.SQLITE_ROW))
        {
            SqliteException.ThrowExceptionForRC(code, _database);
        }
    }

    public void Dispose() => _statement.Dispose();

    private ReadOnlySpan<byte> Encode(string value)
    {
        var longest = Encoding.UTF8.GetMaxByteCount(value.Length);
        if (_text.Length < longest)
        {
            _text = new byte[longest];
        }

        return _text.AsSpan(0, Encoding.UTF8.GetBytes(value, _text));
    }

    private SqliteRowInsert BindNull()
    {
        Check(raw.sqlite3_bind_null(_statement, _next++));
        return this;
    }

    private void Check(int code) => SqliteException.ThrowExceptionForRC(code, _database);
}
