using System.Data.Common;

namespace Llava.Ledger.Storage;

/// <summary>A prepared statement with named parameters.</summary>
internal sealed class SqlStatement(DbCommand command)
{
    public DbCommand Command { get; } = command;

    /// <summary>Sets the parameter <c>@{name}</c>; null becomes SQL's null.</summary>
    public SqlStatement Set(string name, object? value)
    {
        var parameters = Command.Parameters;
        var at = parameters.IndexOf(name);
        if (at < 0)
        {
            var added = Command.CreateParameter();
            added.ParameterName = name;
            at = parameters.Add(added);
        }

        parameters[at].Value = value ?? DBNull.Value;
        return this;
    }

    /// <summary>Runs it and returns how many rows it changed.</summary>
    public Task<int> ExecuteAsync(CancellationToken cancellation) => Command.ExecuteNonQueryAsync(cancellation);

    /// <summary>Runs it and reads every row.</summary>
    public async Task<List<T>> ListAsync<T>(Func<DbDataReader, T> read, CancellationToken cancellation)
    {
        List<T> rows = [];
        await using var reader = await Command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            rows.Add(read(reader));
        }

        return rows;
    }

    /// <summary>Runs it and reads the first row, or returns <see langword="default"/> when there is none.</summary>
    public async Task<T?> FirstAsync<T>(Func<DbDataReader, T> read, CancellationToken cancellation)
    {
        await using var reader = await Command.ExecuteReaderAsync(cancellation);
        return await reader.ReadAsync(cancellation) ? read(reader) : default;
    }
}

/// <summary>Columns by position, with SQL's null as C#'s.</summary>
internal static class DataReaderColumns
{
    public static string? Text(this DbDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

    public static DateTimeOffset Time(this DbDataReader reader, int column) => DateTimeOffset.FromUnixTimeMilliseconds(reader.GetInt64(column));

    public static DateTimeOffset? TimeOrNull(this DbDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.Time(column);
}
