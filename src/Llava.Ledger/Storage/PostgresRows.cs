using System.Text;
using Llava.Contracts.States;
using Npgsql;

namespace Llava.Ledger.Storage;

/// <summary>Many rows at once: by binary COPY where they are new, by arrays where some may be there already.</summary>
internal static class PostgresRows
{
    public static async Task CopyAsync(LedgerSession session, string sql, IReadOnlyList<ItemDraft> items, CancellationToken cancellation)
    {
        if (items.Count == 0)
        {
            return;
        }

        await using var copy = await ((NpgsqlConnection)session.Connection).BeginBinaryImportAsync(sql, cancellation);
        foreach (var item in items)
        {
            await copy.StartRowAsync(cancellation);
            await copy.WriteAsync(item.JobId, cancellation);
            await copy.WriteAsync(item.ItemNo, cancellation);
            await copy.WriteAsync(Storable(item.CustomId), cancellation);
            await copy.WriteAsync(item.Images, cancellation);
            await WriteTextAsync(copy, item.Prompt, cancellation);
            await WriteTextAsync(copy, item.Category, cancellation);
            await WriteTextAsync(copy, item.Model, cancellation);
            await WriteTextAsync(copy, item.Chat, cancellation);
        }

        await copy.CompleteAsync(cancellation);
    }

    public static async Task CopyAsync(LedgerSession session, string sql, IReadOnlyList<ChunkDraft> chunks, CancellationToken cancellation)
    {
        await using var copy = await ((NpgsqlConnection)session.Connection).BeginBinaryImportAsync(sql, cancellation);
        foreach (var chunk in chunks)
        {
            await copy.StartRowAsync(cancellation);
            await copy.WriteAsync(chunk.JobId, cancellation);
            await copy.WriteAsync(chunk.ChunkNo, cancellation);
            await copy.WriteAsync(chunk.FirstItem, cancellation);
            await copy.WriteAsync(chunk.ItemCount, cancellation);
            await copy.WriteAsync(chunk.Tokens, cancellation);
            await copy.WriteAsync(chunk.State.WireName(), cancellation);
            await copy.WriteAsync(chunk.Attempts, cancellation);
            await WriteTextAsync(copy, chunk.Model, cancellation);
            await copy.WriteAsync(0, cancellation);
        }

        await copy.CompleteAsync(cancellation);
    }

    /// <summary>Results that are new, as they nearly always are: half the server's work of <see cref="InsertAsync"/>.</summary>
    public static async Task CopyAsync(LedgerSession session, string sql, IReadOnlyList<ResultDraft> rows, CancellationToken cancellation)
    {
        await using var copy = await ((NpgsqlConnection)session.Connection).BeginBinaryImportAsync(sql, cancellation);
        foreach (var row in rows)
        {
            var (item, timings) = (row.Item, row.Item.Timings);
            await copy.StartRowAsync(cancellation);
            await copy.WriteAsync(row.JobId, cancellation);
            await copy.WriteAsync(item.ItemNo, cancellation);
            await copy.WriteAsync(item.Outcome.WireName(), cancellation);
            await WriteTextAsync(copy, item.Text, cancellation);
            await WriteTextAsync(copy, item.FinishReason, cancellation);
            await copy.WriteAsync(item.Usage.PromptTokens, cancellation);
            await copy.WriteAsync(item.Usage.CompletionTokens, cancellation);
            await copy.WriteAsync(item.Usage.CachedTokens, cancellation);
            await copy.WriteAsync(row.Lease?.QueuedAt.ToUnixTimeMilliseconds(), cancellation);
            await copy.WriteAsync(row.Lease?.ClaimedAt.ToUnixTimeMilliseconds(), cancellation);
            await copy.WriteAsync(timings?.PrepareMs, cancellation);
            await copy.WriteAsync(timings?.QueueMs ?? 0, cancellation);
            await copy.WriteAsync(timings?.PrefillMs ?? 0, cancellation);
            await copy.WriteAsync(timings?.DecodeMs ?? 0, cancellation);
            await copy.WriteAsync(item.Confidence, cancellation);
            await WriteTextAsync(copy, item.Failure?.Code, cancellation);
            await WriteTextAsync(copy, item.Failure?.Message, cancellation);
            await WriteTextAsync(copy, row.Lease?.Owner, cancellation);
            await WriteTextAsync(copy, row.ModelRevision, cancellation);
            await copy.WriteAsync(row.Attempts, cancellation);
            await copy.WriteAsync(row.FinishedAt, cancellation);
            await copy.WriteAsync(item.CopyOf?.Job.Value, cancellation);
            await copy.WriteAsync(item.CopyOf?.ItemNo, cancellation);
        }

        await copy.CompleteAsync(cancellation);
    }

    public static Task InsertAsync(SqlStatement statement, IReadOnlyList<ResultDraft> rows, CancellationToken cancellation) => rows.Count == 0
        ? Task.CompletedTask
        : statement
            .Set("@jobs", Column(rows, row => row.JobId))
            .Set("@items", Column(rows, row => row.Item.ItemNo))
            .Set("@outcomes", Column(rows, row => row.Item.Outcome.WireName()))
            .Set("@texts", Column(rows, row => Storable(row.Item.Text)))
            .Set("@reasons", Column(rows, row => row.Item.FinishReason))
            .Set("@prompt_tokens", Column(rows, row => row.Item.Usage.PromptTokens))
            .Set("@completion_tokens", Column(rows, row => row.Item.Usage.CompletionTokens))
            .Set("@cached_tokens", Column(rows, row => row.Item.Usage.CachedTokens))
            .Set("@queued_at", Column(rows, row => row.Lease?.QueuedAt.ToUnixTimeMilliseconds()))
            .Set("@claimed_at", Column(rows, row => row.Lease?.ClaimedAt.ToUnixTimeMilliseconds()))
            .Set("@prepare_ms", Column(rows, row => row.Item.Timings?.PrepareMs))
            .Set("@queue_ms", Column(rows, row => row.Item.Timings?.QueueMs ?? 0))
            .Set("@prefill_ms", Column(rows, row => row.Item.Timings?.PrefillMs ?? 0))
            .Set("@decode_ms", Column(rows, row => row.Item.Timings?.DecodeMs ?? 0))
            .Set("@confidences", Column(rows, row => row.Item.Confidence))
            .Set("@codes", Column(rows, row => row.Item.Failure?.Code))
            .Set("@messages", Column(rows, row => Storable(row.Item.Failure?.Message)))
            .Set("@workers", Column(rows, row => row.Lease?.Owner))
            .Set("@revisions", Column(rows, row => row.ModelRevision))
            .Set("@attempts", Column(rows, row => row.Attempts))
            .Set("@times", Column(rows, row => row.FinishedAt))
            .Set("@source_jobs", Column(rows, row => row.Item.CopyOf?.Job.Value))
            .Set("@source_items", Column(rows, row => row.Item.CopyOf?.ItemNo))
            .ExecuteAsync(cancellation);

    /// <summary>
    /// The text as PostgreSQL can hold it: the character NUL, which it refuses, and halves of surrogate pairs, which are no
    /// text in UTF-8, become U+FFFD. A model can utter both, and one item's answer must not cost the others theirs.
    /// </summary>
    public static string? Storable(string? text)
    {
        if (text is null || text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF') < 0)
        {
            return text?.Replace('\0', '\uFFFD');
        }

        // .NET's lenient encoder replaces the halves.
        return Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)).Replace('\0', '\uFFFD');
    }

    private static Task WriteTextAsync(NpgsqlBinaryImporter copy, string? text, CancellationToken cancellation) =>
        text is null ? copy.WriteNullAsync(cancellation) : copy.WriteAsync(Storable(text), cancellation);

    private static T[] Column<T>(IReadOnlyList<ResultDraft> rows, Func<ResultDraft, T> select)
    {
        var column = new T[rows.Count];
        for (var row = 0; row < column.Length; row++)
        {
            column[row] = select(rows[row]);
        }

        return column;
    }
}
