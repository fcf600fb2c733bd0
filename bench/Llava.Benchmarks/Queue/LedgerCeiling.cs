using System.Diagnostics;
using Npgsql;

namespace Llava.Benchmarks.Queue;

/// <summary>
/// What PostgreSQL does with one connection and nothing around it: items in by COPY, results by arrays, in the sizes of the
/// pipeline's commits, into tables with the same kind of key.
/// </summary>
internal static class LedgerCeiling
{
    private const string Tables = """
        drop table if exists bench_items, bench_results;
        create table bench_items (job_id bigint, item_no int, custom_id text, images text, prompt text, primary key (job_id, item_no));
        create table bench_results (job_id bigint, item_no int, outcome text, text text, finished_at bigint, primary key (job_id, item_no));
        """;

    private const int ItemsPerCopy = 4096;
    private const int ResultsPerInsert = 2048;

    /// <summary>Fills and answers a table of items.</summary>
    /// <returns>Items per second for both together.</returns>
    public static async Task<double> RunAsync(string connectionString, int items, CancellationToken cancellation)
    {
        await using NpgsqlConnection connection = new(connectionString);
        await connection.OpenAsync(cancellation);
        await using NpgsqlCommand create = new(Tables, connection);
        await create.ExecuteNonQueryAsync(cancellation);
        var clock = Stopwatch.StartNew();
        for (var first = 0; first < items; first += ItemsPerCopy)
        {
            await CopyAsync(connection, first, Math.Min(items, first + ItemsPerCopy), cancellation);
        }

        for (var first = 0; first < items; first += ResultsPerInsert)
        {
            await AnswerAsync(connection, first, Math.Min(items, first + ResultsPerInsert), cancellation);
        }

        return items / clock.Elapsed.TotalSeconds;
    }

    private static async Task CopyAsync(NpgsqlConnection connection, int first, int end, CancellationToken cancellation)
    {
        await using var copy = await connection.BeginBinaryImportAsync("copy bench_items from stdin (format binary)", cancellation);
        for (var item = first; item < end; item++)
        {
            await copy.StartRowAsync(cancellation);
            await copy.WriteAsync(1L, cancellation);
            await copy.WriteAsync(item, cancellation);
            await copy.WriteAsync($"q{item}", cancellation);
            await copy.WriteAsync("[]", cancellation);
            await copy.WriteAsync($"question {item}", cancellation);
        }

        await copy.CompleteAsync(cancellation);
    }

    private static async Task AnswerAsync(NpgsqlConnection connection, int first, int end, CancellationToken cancellation)
    {
        await using NpgsqlCommand insert = new("insert into bench_results select 1, item, 'succeeded', text, 0 from unnest($1, $2) as answers (item, text) on conflict do nothing", connection);
        insert.Parameters.Add(new() { Value = Enumerable.Range(first, end - first).ToArray() });
        insert.Parameters.Add(new() { Value = Enumerable.Range(first, end - first).Select(item => $"question {item}").ToArray() });
        await insert.ExecuteNonQueryAsync(cancellation);
    }
}
