using System.Diagnostics;
using System.Threading.Channels;
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
    private const int MaxRowsPerCommit = 2048;

    private readonly LedgerDatabase _database;
    private readonly ILedgerSignal _signal;
    private readonly LedgerMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly Channel<Commit> _commits = Channel.CreateUnbounded<Commit>(new() { SingleReader = true });
    private readonly Task _writer;

    internal ResultWriter(LedgerDatabase database, ILedgerSignal signal, LedgerMetrics metrics, TimeProvider time)
    {
        _database = database;
        _signal = signal;
        _metrics = metrics;
        _time = time;
        _writer = Task.Run(WriteLoopAsync);
    }

    /// <summary>Records what became of items of a leased chunk; the task ends once that is committed. Results that are there already stay as they are.</summary>
    /// <param name="lease">The lease under which they were made.</param>
    /// <param name="items">What became of them.</param>
    /// <param name="completesChunk">Whether every item of the chunk has a result with these: the chunk is done then.</param>
    /// <param name="modelRevision">Revision of the model that answered.</param>
    /// <returns>Whether the lease still held; if not, nothing was recorded.</returns>
    public async Task<bool> CommitAsync(ChunkLease lease, IReadOnlyList<FinishedItem> items, bool completesChunk, string? modelRevision = null)
    {
        Commit commit = new(lease, items, completesChunk, modelRevision);
        return _commits.Writer.TryWrite(commit) ? await commit.Held.Task : throw new ObjectDisposedException(nameof(ResultWriter));
    }

    /// <summary>Commits what was handed in and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        _commits.Writer.TryComplete();
        await _writer;
    }

    private async Task WriteLoopAsync()
    {
        List<Commit> batch = [];
        while (await _commits.Reader.WaitToReadAsync())
        {
            for (var rows = 0; rows < MaxRowsPerCommit && _commits.Reader.TryRead(out var commit); rows += commit.Items.Count)
            {
                batch.Add(commit);
            }

            try
            {
                var started = Stopwatch.GetTimestamp();
                var recorded = await _database.WriteAsync((session, token) => RecordAsync(session, batch, token), CancellationToken.None);
                _metrics.Committed(started, batch.Sum(commit => commit.Items.Count), recorded.Held.Count);
                Report(batch, recorded);
            }
            catch (Exception failure)
            {
                // Whoever handed results in decides whether to try again.
                batch.ForEach(commit => commit.Held.TrySetException(failure));
            }

            batch.Clear();
        }
    }

    private async Task<Recorded> RecordAsync(LedgerSession session, List<Commit> batch, CancellationToken cancellation)
    {
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        var held = await _database.HoldAsync(session, LeasesOf(batch), cancellation);
        List<ResultDraft> rows = [];
        foreach (var commit in batch.Where(commit => held.Contains(commit.Lease)))
        {
            rows.AddRange(commit.Items.Select(item => new ResultDraft(
                commit.Lease.Job.Value, item, commit.Lease.Owner, commit.ModelRevision, commit.Lease.Attempt, now)));
        }

        await _database.InsertResultsAsync(session, rows, cancellation);
        return new(held, await EndsAnyJobAsync(session, batch, cancellation));
    }

    /// <summary>A chunk whose parts came apart has several commits here and is held once.</summary>
    private static List<UsedLease> LeasesOf(List<Commit> batch) =>
    [
        .. batch.GroupBy(commit => commit.Lease)
            .Select(commits => new UsedLease(commits.Key, commits.Any(commit => commit.CompletesChunk)))
            .OrderBy(used => used.Lease.Job).ThenBy(used => used.Lease.ChunkNo),
    ];

    /// <summary>Whether the last chunk of some job ended: only then is there a reason to look for jobs that are over.</summary>
    private static async Task<bool> EndsAnyJobAsync(LedgerSession session, List<Commit> batch, CancellationToken cancellation)
    {
        foreach (var job in batch.Where(commit => commit.CompletesChunk).Select(commit => commit.Lease.Job).Distinct())
        {
            if (await session.Statement("has_unfinished_chunk").Set("@job", job.Value).FirstAsync(row => row.GetInt64(0), cancellation) == 0)
            {
                return true;
            }
        }

        return false;
    }

    private void Report(List<Commit> batch, Recorded recorded)
    {
        batch.ForEach(commit => commit.Held.TrySetResult(recorded.Held.Contains(commit.Lease)));

        if (batch.Exists(commit => commit.CompletesChunk))
        {
            _signal.Ring(LedgerTopic.ChunksWaiting);
        }

        if (recorded.EndsJob)
        {
            _signal.Ring(LedgerTopic.WorkFinished);
        }
    }

    private sealed record Recorded(IReadOnlySet<ChunkLease> Held, bool EndsJob);

    private sealed record Commit(ChunkLease Lease, IReadOnlyList<FinishedItem> Items, bool CompletesChunk, string? ModelRevision)
    {
        public TaskCompletionSource<bool> Held { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
