using System.Data.Common;
using System.Diagnostics.CodeAnalysis;

namespace Llava.Ledger.Storage;

/// <summary>A connection with its prepared statements. One caller at a time.</summary>
internal sealed class LedgerSession(DbConnection connection, LedgerSql sql) : IAsyncDisposable
{
    private readonly Dictionary<string, SqlStatement> _statements = [];

    /// <summary>The connection, for what only a provider can do.</summary>
    public DbConnection Connection { get; } = connection;

    /// <summary>The transaction that statements run in.</summary>
    public DbTransaction? Transaction { get; set; }

    /// <summary>Whether this write ran before: the connection broke before the database said that it was committed, or rows were there that it took for new.</summary>
    public bool IsRepeat { get; init; }

    /// <summary>The statement in <c>{name}.sql</c>, prepared once per connection. Its parameters keep their values until set again.</summary>
    [SuppressMessage("Security", "CA2100", Justification = "The text is a file of this assembly; values go in as parameters.")]
    public SqlStatement Statement(string name)
    {
        if (!_statements.TryGetValue(name, out var statement))
        {
            var command = Connection.CreateCommand();
            command.CommandText = sql[name];
            _statements[name] = statement = new(command);
        }

        statement.Command.Transaction = Transaction;
        return statement;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var statement in _statements.Values)
        {
            await statement.Command.DisposeAsync();
        }

        await Connection.DisposeAsync();
    }
}
