using System.Globalization;
using System.Runtime.CompilerServices;
using CsvHelper;
using CsvHelper.Configuration;
using Llava.Contracts.Requests;
using Llava.Hosting.Paths;

namespace Llava.Scheduler.Sources;

/// <summary>
/// Separated values with a header row. The position is the number of rows taken: rows may span lines, and leaving out a million of
/// them takes a second.
/// </summary>
internal sealed class TableSource(AllowedRoots roots) : IJobSource
{
    private const int MaxValue = 16 * 1024 * 1024;

    public async IAsyncEnumerable<SourceItem> ReadAsync(JobRequest request, string? position, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var (path, folder) = SourceFile.FindText(request.Source, roots);
        RecordItems items = new(roots, "line", path, folder);
        using StreamReader text = new(path);
        using TableRows rows = new(text, await DelimiterAsync(path, cancellation), MaxValue);
        var header = await NextAsync(rows, path) ?? throw new SourceException("empty_source", $"'{path}' is empty; a header row and rows were expected.");
        RequireDistinct(header.Values, path);
        var taken = position is null ? 0 : int.Parse(position, CultureInfo.InvariantCulture);
        for (var number = 1; await NextAsync(rows, path) is { } row; number++)
        {
            cancellation.ThrowIfCancellationRequested();
            if (number > taken)
            {
                yield return items.Make(row.Line, number.ToString(CultureInfo.InvariantCulture), name => ManifestRecord.Parse(name, row.Under(header.Values)));
            }
        }
    }

    private static async Task<TableRow?> NextAsync(TableRows rows, string path)
    {
        try
        {
            return await rows.NextAsync();
        }
        catch (CsvHelperException broken)
        {
            throw new SourceException("invalid_table", $"'{path}' cannot be read as a table: {broken.Message.Split('\n')[0]}", broken);
        }
    }

    /// <summary>A tab where the name says so, else what the header is separated by.</summary>
    private static async Task<string> DelimiterAsync(string path, CancellationToken cancellation)
    {
        using StreamReader text = new(path);
        var header = Path.GetExtension(path) is ".tsv" or ".tab" ? "\t" : await text.ReadLineAsync(cancellation) ?? "";
        return header.IndexOfAny([',', ';', '\t']) is >= 0 and var first ? header[first].ToString() : ",";
    }

    private static void RequireDistinct(string[] header, string path)
    {
        if (header.GroupBy(name => name, StringComparer.OrdinalIgnoreCase).FirstOrDefault(name => name.Count() > 1) is { } twice)
        {
            throw new SourceException("invalid_header", $"The header of '{path}' names '{twice.Key}' {twice.Count()} times; give every column a name of its own.");
        }
    }
}

/// <summary>The rows of a table, blank lines left out.</summary>
internal sealed class TableRows : IDisposable
{
    private readonly CsvParser _parser;
    private bool _isBroken;

    public TableRows(TextReader text, string delimiter, int maxValue) => _parser = new(text, new CsvConfiguration(CultureInfo.InvariantCulture)
    {
        Delimiter = delimiter,
        IgnoreBlankLines = false,
        MaxFieldSize = maxValue,
        BadDataFound = _ => _isBroken = true,
    });

    public void Dispose() => _parser.Dispose();

    /// <summary>The next row, or null behind the last.</summary>
    public async Task<TableRow?> NextAsync()
    {
        while (true)
        {
            var line = _parser.RawRow + 1;
            _isBroken = false;
            if (!await _parser.ReadAsync())
            {
                return null;
            }

            if (_parser.Record is { } values and not [""])
            {
                return new(values, line, _isBroken);
            }
        }
    }
}

/// <summary>One row.</summary>
/// <param name="Values">Its values.</param>
/// <param name="Line">Line it begins at, counted from 1.</param>
/// <param name="IsBroken">Whether its quotes do not come in pairs around whole values.</param>
internal sealed record TableRow(string[] Values, int Line, bool IsBroken)
{
    /// <summary>The values by the names of their columns.</summary>
    /// <exception cref="FormatException">They cannot be told apart.</exception>
    public IReadOnlyDictionary<string, string> Under(string[] header)
    {
        if (IsBroken)
        {
            throw new FormatException("a quote in it does not begin or end a value, or is never closed; quote the whole value and write quotes in it twice.");
        }

        if (Values.Length != header.Length)
        {
            throw new FormatException($"it has {Values.Length} values, and the header names {header.Length} columns.");
        }

        return header.Zip(Values, (name, value) => KeyValuePair.Create(name, RecordText.Require(name, value))).ToDictionary(StringComparer.OrdinalIgnoreCase);
    }
}
