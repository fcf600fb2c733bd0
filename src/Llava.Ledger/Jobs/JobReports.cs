using Llava.Contracts;
using Llava.Ledger.Storage;

namespace Llava.Ledger.Jobs;

/// <summary>Says now and then how far running jobs are: each job seldom enough, only when something changed, and by one process at a time.</summary>
public sealed class JobReports
{
    private readonly LedgerDatabase _database;
    private readonly TimeProvider _time;

    internal JobReports(LedgerDatabase database, TimeProvider time)
    {
        _database = database;
        _time = time;
    }

    /// <summary>Reports every running job that was not looked at for <paramref name="every"/> and of which more items are done since.</summary>
    /// <param name="every">How long after a look there is no other, whoever looks.</param>
    /// <param name="publish">Says how far the job is. When it throws, the next look reports the same.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    /// <returns>Jobs that were reported.</returns>
    public async Task<int> ReportAsync(TimeSpan every, Func<JobRecord, JobProgress, CancellationToken, Task> publish, CancellationToken cancellation = default)
    {
        var now = _time.GetUtcNow();
        var before = (now - every).ToUnixTimeMilliseconds();
        var jobs = await _database.ReadAsync((session, token) => session.Statement("list_jobs_to_report").Set("@before", before).ListAsync(JobRecord.Read, token), cancellation);
        var reported = 0;
        foreach (var job in jobs)
        {
            if (await TakeAsync(job.Id, now, before, cancellation) is { } known
                && await _database.ReadAsync((session, token) => JobReader.CountAsync(session, job, token), cancellation) is var progress
                && progress.Done != known)
            {
                await publish(job, progress, cancellation);
                await NoteAsync(job.Id, progress.Done, cancellation);
                reported++;
            }
        }

        return reported;
    }

    /// <summary>Items that were done at the last report; null when another process has taken this one.</summary>
    private Task<long?> TakeAsync(JobId job, DateTimeOffset now, long before, CancellationToken cancellation) =>
        _database.WriteAsync((session, token) => session.Statement("take_report")
            .Set("@job", job.Value)
            .Set("@now", now.ToUnixTimeMilliseconds())
            .Set("@before", before)
            .FirstAsync(row => (long?)row.GetInt64(0), token), cancellation);

    private Task<int> NoteAsync(JobId job, long items, CancellationToken cancellation) =>
        _database.WriteAsync((session, token) => session.Statement("note_report").Set("@job", job.Value).Set("@items", items).ExecuteAsync(token), cancellation);
}
