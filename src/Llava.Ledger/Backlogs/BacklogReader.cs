using Llava.Contracts.States;
using Llava.Ledger.Storage;

namespace Llava.Ledger.Backlogs;

/// <summary>Counts what waits. It visits every chunk that is not done: ask every few seconds, not for every request.</summary>
public sealed class BacklogReader
{
    private readonly LedgerDatabase _database;

    internal BacklogReader(LedgerDatabase database) => _database = database;

    /// <summary>Jobs and work at this moment.</summary>
    public Task<Backlog> ReadAsync(CancellationToken cancellation = default) => _database.ReadAsync(async (session, token) =>
    {
        var jobs = await session.Statement("count_jobs_by_state").ListAsync(row => (State: JobStates.Table.Parse(row.GetString(0)), Count: row.GetInt64(1)), token);
        var work = await session.Statement("sum_backlog").ListAsync(
            row => new PendingWork(row.GetString(0), ChunkStates.Table.Parse(row.GetString(1)), row.GetInt64(2), row.GetInt64(3), row.Time(4)), token);
        return new Backlog(jobs.ToDictionary(count => count.State, count => count.Count), work);
    }, cancellation);
}
