using Llava.Contracts;
using Llava.Contracts.States;
using Llava.Ledger.Storage;

namespace Llava.Ledger.Throughput;

/// <summary>How many results came when, counted by the database.</summary>
public sealed class ThroughputReader
{
    private readonly LedgerDatabase _database;

    internal ThroughputReader(LedgerDatabase database) => _database = database;

    /// <summary>Results of all jobs since a moment; reads as many rows as there are, by an index, so ask for what is new.</summary>
    /// <param name="since">From when on.</param>
    /// <param name="span">How long one count lasts.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public Task<List<WorkCount>> SinceAsync(DateTimeOffset since, TimeSpan span, CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => session.Statement("bucket_results")
            .Set("@since", since.ToUnixTimeMilliseconds())
            .Set("@span", (long)span.TotalMilliseconds)
            .ListAsync(row => new WorkCount(Moment(row.GetInt64(0), span), new(row.GetInt64(1)), ItemOutcomes.Table.Parse(row.GetString(2)), row.GetInt64(3), row.GetInt64(4), Span(row, 5)), token), cancellation);

    /// <summary>Results of one job over its life, those refused before any work left out; visits all of them.</summary>
    /// <param name="job">The job.</param>
    /// <param name="span">How long one count lasts.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public Task<List<WorkCount>> OfJobAsync(JobId job, TimeSpan span, CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => session.Statement("bucket_results_of_job")
            .Set("@job", job.Value)
            .Set("@span", (long)span.TotalMilliseconds)
            .ListAsync(row => new WorkCount(Moment(row.GetInt64(0), span), job, null, row.GetInt64(1), row.GetInt64(2), Span(row, 3)), token), cancellation);

    /// <summary>Where the time of a job's items went; visits all its results.</summary>
    public async Task<JobTimes> TimesAsync(JobId job, CancellationToken cancellation = default) =>
        await _database.ReadAsync((session, token) => session.Statement("sum_times_of_job").Set("@job", job.Value).FirstAsync(
            row => row.GetInt64(0) == 0
                ? JobTimes.None
                : new JobTimes(
                    row.GetInt64(0), Span(row, 1), Span(row, 2), Span(row, 3), Span(row, 4), Span(row, 5), Span(row, 6), Span(row, 7)),
            token), cancellation) ?? JobTimes.None;

    private static DateTimeOffset Moment(long number, TimeSpan span) => DateTimeOffset.FromUnixTimeMilliseconds(number * (long)span.TotalMilliseconds);

    private static TimeSpan Span(System.Data.Common.DbDataReader row, int column) => row.IsDBNull(column) ? TimeSpan.Zero : TimeSpan.FromMilliseconds(Math.Max(0, row.GetDouble(column)));
}

/// <summary>Results of one span of time.</summary>
/// <param name="At">When the span began.</param>
/// <param name="Job">Their job.</param>
/// <param name="Outcome">Their outcome; null where outcomes are counted together.</param>
/// <param name="Items">How many.</param>
/// <param name="Tokens">Tokens that were generated for them.</param>
/// <param name="InSlots">Time that they spent in slots, added up; over the length of the span it is the mean number of sequences that ran at once.</param>
public sealed record WorkCount(DateTimeOffset At, JobId Job, ItemOutcome? Outcome, long Items, long Tokens, TimeSpan InSlots);

/// <summary>Where the time of a job's answered items went: means of phases that follow on each other, and the sum that its devices spent.</summary>
/// <param name="Items">Items that tell of their time.</param>
/// <param name="Waited">Mean time from the queue to a consumer.</param>
/// <param name="Prepare">Mean time until images and prompt were pixels and tokens.</param>
/// <param name="Slot">Mean time of waiting for a slot.</param>
/// <param name="Prefill">Mean time of reading the prompt.</param>
/// <param name="Decode">Mean time of generating.</param>
/// <param name="Write">Mean time from the last token to the ledger.</param>
/// <param name="Device">Time in which devices had an item of the job in work; a device that had several at once counts once.</param>
public sealed record JobTimes(long Items, TimeSpan Waited, TimeSpan Prepare, TimeSpan Slot, TimeSpan Prefill, TimeSpan Decode, TimeSpan Write, TimeSpan Device)
{
    /// <summary>Of a job that has none yet.</summary>
    public static JobTimes None { get; } = new(0, default, default, default, default, default, default, default);
}
