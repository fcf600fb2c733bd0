using Llava.Contracts;
using Llava.Contracts.States;
using Llava.Ledger.Storage;

namespace Llava.Ledger.Reviews;

/// <summary>Keeps what people say of answers.</summary>
public sealed class ReviewStore
{
    /// <summary>Longest edited text, in letters.</summary>
    public const int LongestText = 100_000;

    private readonly LedgerDatabase _database;
    private readonly TimeProvider _time;

    internal ReviewStore(LedgerDatabase database, TimeProvider time)
    {
        _database = database;
        _time = time;
    }

    /// <summary>Records a review; what was said of the item before stays in its history.</summary>
    /// <param name="job">The job.</param>
    /// <param name="itemNo">The item.</param>
    /// <param name="verdict">What is said.</param>
    /// <param name="text">The right text, for <see cref="ReviewVerdict.Edited"/>.</param>
    /// <param name="reviewer">Who says it.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    /// <exception cref="JobNotFoundException">There is no such job.</exception>
    /// <exception cref="ReviewRefusedException">The item has no result, an edit has no text, or an answer that is not there is accepted.</exception>
    public async Task<Review> AddAsync(JobId job, int itemNo, ReviewVerdict verdict, string? text, string reviewer, CancellationToken cancellation = default)
    {
        var edited = verdict == ReviewVerdict.Edited ? PostgresRows.Storable(text?.Trim()) : null;
        if (verdict == ReviewVerdict.Edited && string.IsNullOrEmpty(edited))
        {
            throw new ReviewRefusedException("review_text_missing", $"An edit of item {itemNo} of job '{job}' has no text; give the right answer, or reject it.");
        }

        if (edited?.Length > LongestText)
        {
            throw new ReviewRefusedException("review_text_too_long", $"The text has {edited.Length} letters; give at most {LongestText}.");
        }

        var now = DateTimeOffset.FromUnixTimeMilliseconds(_time.GetUtcNow().ToUnixTimeMilliseconds());
        return await _database.WriteAsync((session, token) => AddAsync(session, job, itemNo, verdict, edited, reviewer, now, token), cancellation);
    }

    /// <summary>All that was said of an item, the oldest first.</summary>
    public Task<List<Review>> HistoryAsync(JobId job, int itemNo, CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => HistoryAsync(session, job, itemNo, token), cancellation);

    /// <summary>How many items of the job stand how.</summary>
    public async Task<ReviewCounts> CountsAsync(JobId job, CancellationToken cancellation = default)
    {
        var counts = await _database.ReadAsync((session, token) => session.Statement("count_reviews")
            .Set("@job", job.Value)
            .ListAsync(row => (Verdict: ReviewVerdicts.Table.Parse(row.GetString(0)), Count: row.GetInt64(1)), token), cancellation);
        return new(Of(ReviewVerdict.Accepted), Of(ReviewVerdict.Edited), Of(ReviewVerdict.Rejected));

        long Of(ReviewVerdict verdict) => counts.Find(count => count.Verdict == verdict).Count;
    }

    private static async Task<Review> AddAsync(
        LedgerSession session, JobId job, int itemNo, ReviewVerdict verdict, string? text, string reviewer, DateTimeOffset now, CancellationToken cancellation)
    {
        // Held, so that of two people at once one is first and the other last.
        if (await session.Statement("hold_job").Set("@job", job.Value).ExecuteAsync(cancellation) == 0)
        {
            throw new JobNotFoundException(job);
        }

        var earlier = await HistoryAsync(session, job, itemNo, cancellation);
        if (session.IsRepeat && earlier is [.., var last] && last.At == now && last.Reviewer == reviewer)
        {
            return last;
        }

        var answer = await session.Statement("read_answer").Set("@job", job.Value).Set("@item", itemNo).FirstAsync(row => new Answer(row.Text(0)), cancellation)
            ?? throw new ReviewRefusedException("item_not_answered", $"Item {itemNo} of job '{job}' has no result yet; look at it once it has.");
        if (verdict == ReviewVerdict.Accepted && answer.Text is null)
        {
            throw new ReviewRefusedException("item_not_answered", $"Item {itemNo} of job '{job}' failed, so there is no answer to accept; edit it, or reject it.");
        }

        Review review = new(earlier.Count + 1, verdict, text, answer.Text, reviewer, now);
        await session.Statement("supersede_review").Set("@job", job.Value).Set("@item", itemNo).ExecuteAsync(cancellation);
        await session.Statement("insert_review")
            .Set("@job", job.Value)
            .Set("@item", itemNo)
            .Set("@number", review.Number)
            .Set("@verdict", verdict.WireName())
            .Set("@text", text)
            .Set("@original", answer.Text)
            .Set("@reviewer", reviewer)
            .Set("@now", now.ToUnixTimeMilliseconds())
            .ExecuteAsync(cancellation);
        return review;
    }

    private static Task<List<Review>> HistoryAsync(LedgerSession session, JobId job, int itemNo, CancellationToken cancellation) =>
        session.Statement("list_reviews").Set("@job", job.Value).Set("@item", itemNo).ListAsync(row => Review.Read(row, 0)!, cancellation);

    private sealed record Answer(string? Text);
}

/// <summary>What was said of an item cannot be recorded.</summary>
/// <param name="code">Stable word for the cause.</param>
/// <param name="message">Why, and what can be said instead.</param>
public sealed class ReviewRefusedException(string code, string message) : JobException(code, message);
