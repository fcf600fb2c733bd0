using System.Data.Common;
using System.Runtime.CompilerServices;
using Llava.Contracts;
using Llava.Contracts.States;
using Llava.Ledger.Storage;

namespace Llava.Ledger.Results;

/// <summary>Reads results in item order, while the job runs or afterwards.</summary>
public sealed class ResultReader
{
    private const int StreamPage = 512;

    private readonly LedgerDatabase _database;

    internal ResultReader(LedgerDatabase database) => _database = database;

    /// <summary>One page of the results there are, in item order.</summary>
    public Task<List<ItemResult>> PageAsync(JobId job, ResultFilter filter, CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => session.Statement("page_results")
            .Set("@job", job.Value)
            .Set("@after", filter.After)
            .Set("@outcome", filter.Outcome?.WireName())
            .Set("@code", filter.ErrorCode)
            .Set("@limit", filter.Limit)
            .ListAsync(Read, token), cancellation);

    /// <summary>The result of one item, or null while it has none.</summary>
    public async Task<ItemResult?> FindAsync(JobId job, int itemNo, CancellationToken cancellation = default) =>
        (await PageAsync(job, new() { After = itemNo - 1, Limit = 1 }, cancellation)).Find(result => result.ItemNo == itemNo);

    /// <summary>All results there are, in item order, a page at a time: a job of any size in little memory.</summary>
    public async IAsyncEnumerable<ItemResult> StreamAsync(JobId job, ResultFilter? filter = null, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        filter = (filter ?? new()) with { Limit = StreamPage };
        for (var page = await PageAsync(job, filter, cancellation); page.Count > 0; page = await PageAsync(job, filter, cancellation))
        {
            foreach (var result in page)
            {
                yield return result;
            }

            filter = filter with { After = page[^1].ItemNo };
        }
    }

    /// <summary>How many items failed for which cause, the commonest first.</summary>
    public Task<List<ErrorCount>> ErrorsByCauseAsync(JobId job, CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => session.Statement("count_errors")
            .Set("@job", job.Value)
            .ListAsync(row => new ErrorCount(row.GetString(0), row.GetInt64(1), row.GetInt32(2)), token), cancellation);

    /// <summary>Reads the columns that page_results.sql selects.</summary>
    internal static ItemResult Read(DbDataReader row) => new()
    {
        ItemNo = row.GetInt32(0),
        CustomId = row.GetString(1),
        Images = LedgerJson.ReadImages(row.GetString(2)),
        Prompt = row.Text(3),
        Category = row.Text(4),
        Model = row.Text(26),
        Result = new()
        {
            ItemNo = row.GetInt32(0),
            Outcome = ItemOutcomes.Table.Parse(row.GetString(5)),
            Text = row.Text(6),
            FinishReason = row.Text(7),
            Usage = new(row.GetInt32(8), row.GetInt32(9), row.GetInt32(10)),
            Timings = row.IsDBNull(21) ? null : new(row.GetDouble(21), row.GetDouble(11), row.GetDouble(12), row.GetDouble(13)),
            Confidence = row.IsDBNull(14) ? null : row.GetDouble(14),
            CopyOf = row.IsDBNull(24) ? null : new(new(row.GetInt64(24)), row.GetInt32(25)),
            Failure = row.Text(15) is { } code ? new(code, row.Text(16) ?? "") : null,
        },
        Worker = row.Text(17),
        ModelRevision = row.Text(18),
        Attempts = row.GetInt32(19),
        FinishedAt = row.Time(20),
        QueuedAt = row.TimeOrNull(22),
        ClaimedAt = row.TimeOrNull(23),
    };
}

/// <summary>Which results to read.</summary>
public sealed record ResultFilter
{
    /// <summary>Only items after this one: the last of the page before. Default -1, from the start.</summary>
    public int After { get; init; } = -1;

    /// <summary>Only this outcome; null for all.</summary>
    public ItemOutcome? Outcome { get; init; }

    /// <summary>Only failures with this code; null for all.</summary>
    public string? ErrorCode { get; init; }

    /// <summary>Most results to return. Default 100.</summary>
    public int Limit { get; init; } = 100;
}

/// <summary>How often a job's items failed for one cause.</summary>
/// <param name="Code">The cause.</param>
/// <param name="Count">Items that failed for it.</param>
/// <param name="FirstItem">The first of them.</param>
public sealed record ErrorCount(string Code, long Count, int FirstItem);
