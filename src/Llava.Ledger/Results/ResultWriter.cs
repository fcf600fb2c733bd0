using System.Diagnostics;
using Llava.Ledger.Chunks;
using Llava.Ledger.Signals;
using Llava.Ledger.Storage;
using Llava.Ledger.Telemetry;

namespace Llava.Ledger.Results;

/// <summary>
/// Records results: many consumers hand them in, one writer commits all that wait at the same moment together. Results and
/// the end of their chunk are one transaction behind the lease's fence.
/// </summary>
public sealed class ResultWriter : IAsyncDisposable
{
    private const int MostRows = 2048;

    private readonly LedgerDatabase _database;
    private readonly ILedgerSignal _signal;
    private readonly LedgerMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly SharedCall<Commit, bool> _commits;

    internal ResultWriter(LedgerDatabase database, ILedgerSignal signal, LedgerMetrics metrics, TimeProvider time)
    {
        _database = database;
        _signal = signal;
        _metrics = metrics;
        _time = time;
        _commits = new(CommitAsync, commit => commit.Items.Count, MostRows);
    }

    /// <summary>Records what became of items of a leased chunk; the task ends once that is committed. Results that are there already stay as they are.</summary>
    /// <param name="lease">The lease under which they were made.</param>
    /// <param name="items">What became of them.</param>
    /// <param name="completesChunk">Whether every item of the chunk has a result with these: the chunk is done then.</param>
    /// <param name="modelRevision">Revision of the model that answered.</param>
    /// <returns>Whether the lease still held; if not, nothing was recorded.</returns>
    public Task<bool> CommitAsync(ChunkLease lease, IReadOnlyList<FinishedItem> items, bool completesChunk, string? modelRevision = null) =>
        _commits.AddAsync(new(lease, items, completesChunk, modelRevision));

    /// <summary>Commits what was handed in and ends.</summary>
    public ValueTask DisposeAsync() => _commits.DisposeAsync();

    private async Task<IReadOnlyList<bool>> CommitAsync(IReadOnlyList<Commit> group)
    {
        var started = Stopwatch.GetTimestamp();
        var recorded = await _database.WriteAsync((session, token) => RecordAsync(session, group, token), CancellationToken.None);
        _metrics.Committed(started, group.Sum(commit => commit.Items.Count), recorded.Held.Count);
        if (group.Any(commit => commit.CompletesChunk))
        {
            _signal.Ring(LedgerTopic.ChunksWaiting);
        }

        if (recorded.EndsJob)
        {
            _signal.Ring(LedgerTopic.WorkFinished);
        }

        return [.. group.Select(commit => recorded.Held.Contains(commit.Lease))];
    }

    private async Task<Recorded> RecordAsync(LedgerSession session, IReadOnlyList<Commit> group, CancellationToken cancellation)
    {
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        var held = await _database.HoldAsync(session, LeasesOf(group), cancellation);
        List<ResultDraft> rows = [];
        foreach (var commit in group.Where(commit => held.Contains(commit.Lease)))
        {
            rows.AddRange(commit.Items.Select(item => new ResultDraft(
                commit.Lease.Job.Value, item, commit.Lease, commit.Lease.Attempt, now, commit.ModelRevision)));
        }

        await _database.InsertResultsAsync(session, rows, cancellation);
        return new(held, await EndsAnyJobAsync(session, group, cancellation));
    }

    /// <summary>A chunk whose parts came apart has several commits here and is held once.</summary>
    private static List<UsedLease> LeasesOf(IReadOnlyList<Commit> group) =>
    [
        .. group.GroupBy(commit => commit.Lease)
            .Select(commits => new UsedLease(commits.Key, commits.Any(commit => commit.CompletesChunk)))
            .OrderBy(used => used.Lease.Job).ThenBy(used => used.Lease.ChunkNo),
    ];

    /// <summary>Whether the last chunk of some job ended: only then is there a reason to look for jobs that are over.</summary>
    private static async Task<bool> EndsAnyJobAsync(LedgerSession session, IReadOnlyList<Commit> group, CancellationToken cancellation)
    {
        foreach (var job in group.Where(commit => commit.CompletesChunk).Select(commit => commit.Lease.Job).Distinct())
        {
            if (await session.Statement("has_unfinished_chunk").Set("@job", job.Value).FirstAsync(row => row.GetInt64(0), cancellation) == 0)
            {
                return true;
            }
        }

        return false;
    }

    private sealed record Recorded(IReadOnlySet<ChunkLease> Held, bool EndsJob);

    private sealed record Commit(ChunkLease Lease, IReadOnlyList<FinishedItem> Items, bool CompletesChunk, string? ModelRevision);
}
