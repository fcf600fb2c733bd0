using Llava.Contracts;
using Llava.Ledger.Storage;
using Microsoft.Extensions.Logging;

namespace Llava.Ledger.Jobs;

/// <summary>Deletes what is no longer kept.</summary>
public sealed partial class JobRetention
{
    /// <summary>What goes with a job, and last the job. The keys that its schedule knows are settled before the results that say so.</summary>
    private static readonly string[] Statements =
    [
        "settle_keys_of_job", "delete_keys_of_job", "delete_origin_of_job",
        "delete_reviews_of_job", "delete_results_of_job", "delete_items_of_job", "delete_chunks_of_job", "delete_attempts_of_job", "delete_parts_of_job", "delete_cached_results_of_job",
        "delete_batch_of_job", "delete_expected_of_job",
        "delete_job",
    ];

    private readonly LedgerDatabase _database;
    private readonly TimeProvider _time;
    private readonly ILogger<JobRetention> _logger;

    internal JobRetention(LedgerDatabase database, TimeProvider time, ILogger<JobRetention> logger)
    {
        _database = database;
        _time = time;
        _logger = logger;
    }

    /// <summary>Deletes jobs that have been over for longer than <paramref name="keep"/>, with all they hold, each in its own transaction.</summary>
    /// <returns>How many.</returns>
    public async Task<int> DeleteAsync(TimeSpan keep, CancellationToken cancellation = default)
    {
        var before = (_time.GetUtcNow() - keep).ToUnixTimeMilliseconds();
        var jobs = await _database.ReadAsync((session, token) => session.Statement("list_jobs_over_before")
            .Set("@before", before)
            .ListAsync(row => new JobId(row.GetInt64(0)), token), cancellation);
        var deleted = 0;
        foreach (var job in jobs)
        {
            var isOver = await _database.WriteAloneAsync(LedgerTurn.Delete, async (session, token) =>
            {
                if (await session.Statement("hold_job_over_before").Set("@job", job.Value).Set("@before", before).ExecuteAsync(token) == 0)
                {
                    return false;
                }

                foreach (var statement in Statements)
                {
                    await session.Statement(statement).Set("@job", job.Value).ExecuteAsync(token);
                }

                return true;
            }, cancellation);
            if (isOver)
            {
                JobDeleted(job, keep);
                deleted++;
            }
        }

        return deleted;
    }

    [LoggerMessage(2004, LogLevel.Information, "Job {Job} was over for longer than {Keep} and is deleted")]
    private partial void JobDeleted(JobId job, TimeSpan keep);
}
