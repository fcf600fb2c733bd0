using System.Globalization;
using Parquet;
using Parquet.Schema;

namespace Llava.Scheduler.Sources;

/// <summary>The columns of one row group as texts.</summary>
internal sealed class ParquetColumns
{
    private readonly List<(string Name, string?[] Values)> _columns = [];

    public static async Task<ParquetColumns> ReadAsync(ParquetRowGroupReader group, ParquetSchema schema, CancellationToken cancellation)
    {
        ParquetColumns columns = new();
        foreach (var field in schema.Fields.OfType<DataField>().Where(field => !field.IsArray))
        {
            if (await ReadAsync(group, field, cancellation) is { } values)
            {
                columns._columns.Add((field.Name, values));
            }
        }

        return columns;
    }

    /// <summary>The values of a row that are not null, by the names of their columns.</summary>
    public IReadOnlyDictionary<string, string> Row(int row)
    {
        Dictionary<string, string> values = new(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, column) in _columns)
        {
            if (column[row] is { } value)
            {
                values[name] = RecordText.Require(name, value);
            }
        }

        return values;
    }

    private static async Task<string?[]?> ReadAsync(ParquetRowGroupReader group, DataField field, CancellationToken cancellation)
    {
        if (field.ClrType == typeof(ReadOnlyMemory<char>))
        {
            var texts = new string?[group.RowCount];
            await group.ReadAsync(field, texts!, cancellationToken: cancellation);
            return texts;
        }

        return Type.GetTypeCode(field.ClrType) switch
        {
            TypeCode.Boolean => await ReadAsync<bool>(group, field, cancellation),
            TypeCode.Int16 => await ReadAsync<short>(group, field, cancellation),
            TypeCode.Int32 => await ReadAsync<int>(group, field, cancellation),
            TypeCode.Int64 => await ReadAsync<long>(group, field, cancellation),
            TypeCode.Single => await ReadAsync<float>(group, field, cancellation),
            TypeCode.Double => await ReadAsync<double>(group, field, cancellation),
            _ => null,
        };
    }

    private static async Task<string?[]> ReadAsync<T>(ParquetRowGroupReader group, DataField field, CancellationToken cancellation)
        where T : struct
    {
        if (field.IsNullable)
        {
            var optional = new T?[group.RowCount];
            await group.ReadAsync<T>(field, optional, cancellationToken: cancellation);
            return Array.ConvertAll(optional, value => value is null ? null : Convert.ToString(value, CultureInfo.InvariantCulture));
        }

        var values = new T[group.RowCount];
        await group.ReadAsync<T>(field, values, cancellationToken: cancellation);
        return Array.ConvertAll(values, value => Convert.ToString(value, CultureInfo.InvariantCulture));
    }
}
