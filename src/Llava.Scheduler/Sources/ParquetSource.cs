using System.Globalization;
using System.Runtime.CompilerServices;
using Llava.Contracts.Requests;
using Llava.Hosting.Paths;
using Parquet;
using Parquet.Schema;

namespace Llava.Scheduler.Sources;

/// <summary>
/// A Parquet file, one row group in memory at a time; the position is the number of rows taken. Columns of texts, numbers and truth
/// values are fields; others are left out.
/// </summary>
internal sealed class ParquetSource(AllowedRoots roots) : IJobSource
{
    public async IAsyncEnumerable<SourceItem> ReadAsync(JobRequest request, string? position, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var (path, folder) = SourceFile.Find(request.Source, roots);
        RecordItems items = new(roots, "row", path, folder);
        await using var file = await Guarded(path, () => ParquetReader.CreateAsync(path, cancellationToken: cancellation));
        RequirePaths(file.Schema, path);
        var taken = position is null ? 0 : int.Parse(position, CultureInfo.InvariantCulture);
        var number = 0;
        for (var group = 0; group < file.RowGroupCount; group++)
        {
            using var reader = file.OpenRowGroupReader(group);
            if (number + reader.RowCount <= taken)
            {
                number += (int)reader.RowCount;
                continue;
            }

            var columns = await Guarded(path, () => ParquetColumns.ReadAsync(reader, file.Schema, cancellation));
            for (var row = 0; row < reader.RowCount; row++)
            {
                if (++number > taken)
                {
                    yield return items.Make(number, number.ToString(CultureInfo.InvariantCulture), name => ManifestRecord.Parse(name, columns.Row(row)));
                }
            }
        }
    }

    /// <summary>Data sets often hold the images' bytes in this column, which cannot be referred to from outside the file.</summary>
    private static void RequirePaths(ParquetSchema schema, string path)
    {
        foreach (var field in schema.Fields.Where(field => field.Name.ToLowerInvariant() is "image" or "images"))
        {
            if (field is not DataField { IsArray: false } column || column.ClrType != typeof(ReadOnlyMemory<char>))
            {
                throw new SourceException("unsupported_column", $"Column '{field.Name}' of '{path}' holds no texts; give a column of paths, several images separated by semicolons.");
            }
        }
    }

    /// <summary>A broken file makes the library fail in ways of its own at any place.</summary>
    private static async Task<T> Guarded<T>(string path, Func<Task<T>> read)
    {
        try
        {
            return await read();
        }
        catch (Exception broken) when (broken is not (OperationCanceledException or UnauthorizedAccessException))
        {
            throw new SourceException("invalid_parquet", $"'{path}' cannot be read as Parquet: {broken.Message}", broken);
        }
    }
}
