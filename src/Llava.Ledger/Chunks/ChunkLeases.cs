using Llava.Contracts;
using Llava.Contracts.States;
using Llava.Ledger.Jobs;
using Llava.Ledger.Signals;
using Llava.Ledger.Storage;

namespace Llava.Ledger.Chunks;

/// <summary>Claims chunks, keeps them, gives them back.</summary>
public sealed class ChunkLeases
{
    private readonly LedgerDatabase _database;
    private readonly ILedgerSignal _signal;
    private readonly LedgerOptions _options;
    private readonly TimeProvider _time;

    internal ChunkLeases(LedgerDatabase database, ILedgerSignal signal, LedgerOptions options, TimeProvider time)
    {
        _database = database;
        _signal = signal;
        _options = options;
        _time = time;
    }

    /// <summary>How long a lease holds without renewal.</summary>
    public TimeSpan Duration => _options.Lease;

    /// <summary>Claims the chunk for <paramref name="owner"/>.</summary>
    /// <param name="job">The job.</param>
    /// <param name="chunkNo">The chunk.</param>
    /// <param name="attempt">Lost attempts the caller knows of; a chunk that has seen another since is not claimed.</param>
    /// <param name="owner">The worker.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    /// <returns>The lease and what is left to do, or null when there is nothing to do: done, held by another, changed since, or its job does not run.</returns>
    public async Task<ClaimedChunk?> ClaimAsync(JobId job, int chunkNo, int attempt, string owner, CancellationToken cancellation = default)
    {
        var now = _time.GetUtcNow();
        var claim = await _database.WriteAsync(async (session, token) =>
        {
            var claimed = await ClaimAsync(session, "claim_chunk");
            if (claimed is null && session.IsRepeat)
            {
                claimed = await ClaimAsync(session, "find_claim");
            }

            return claimed is null ? null : claimed with { Missing = await ListMissingAsync(session, claimed.Lease, token) };

            Task<Claim?> ClaimAsync(LedgerSession session, string statement) => session.Statement(statement)
                .Set("@job", job.Value)
                .Set("@chunk", chunkNo)
                .Set("@attempt", attempt)
                .Set("@owner", owner)
                .Set("@now", now.ToUnixTimeMilliseconds())
                .Set("@until", (now + _options.Lease).ToUnixTimeMilliseconds())
                .FirstAsync(row => new Claim(new(job, chunkNo, row.GetInt32(0), row.GetInt32(1), row.GetInt32(2), row.GetInt32(3), owner, row.Time(4), now), JobStates.Table.Parse(row.GetString(5)), []), token);
        }, cancellation);
        if (claim?.JobState == JobState.Queued)
        {
            // Not in the same transaction: whoever ends or cancels a job holds the job first and then its chunks, and this would be the other way round.
            await _database.WriteAsync((session, token) => JobTransitions.MoveAsync(session, job, JobState.Queued, JobState.Running, now, null, token), cancellation);
        }

        return claim is null ? null : new(claim.Lease, claim.Missing);
    }

    /// <summary>Items of the chunk that have no result by now, in order.</summary>
    public Task<List<ClaimedItem>> MissingItemsAsync(ChunkLease lease, CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => ListMissingAsync(session, lease, token), cancellation);

    /// <summary>Extends leases, in one commit, and learns what was cancelled or paused meanwhile.</summary>
    /// <returns>The standing of each, in the order given.</returns>
    public Task<List<LeaseStanding>> RenewAsync(IReadOnlyList<ChunkLease> leases, CancellationToken cancellation = default) =>
        _database.WriteAsync(async (session, token) =>
        {
            var until = (_time.GetUtcNow() + _options.Lease).ToUnixTimeMilliseconds();
            Dictionary<ChunkLease, LeaseStanding> standings = [];
            foreach (var lease in leases.OrderBy(lease => lease.Job).ThenBy(lease => lease.ChunkNo)) // the order that all writers share
            {
                var state = await ForLease(session, "renew_lease", lease).Set("@until", until).FirstAsync(row => row.GetString(0), token);
                standings[lease] = state is null ? LeaseStanding.Lost : JobStates.Table.Parse(state) is JobState.Queued or JobState.Running ? LeaseStanding.Held : LeaseStanding.Stopped;
            }

            return leases.Select(lease => standings[lease]).ToList();
        }, cancellation);

    /// <summary>Gives the chunk back, to be handed out again.</summary>
    /// <param name="lease">The lease; when it was lost nothing happens.</param>
    /// <param name="countAttempt">Whether the attempt counts against the chunk. Not for a worker that drains or a job that was paused.</param>
    /// <param name="error">Why it failed, for a counted attempt.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public async Task ReleaseAsync(ChunkLease lease, bool countAttempt, string? error = null, CancellationToken cancellation = default)
    {
        var now = _time.GetUtcNow();
        await _database.WriteAsync(async (session, token) =>
        {
            var isMine = await ForLease(session, "release_chunk", lease)
                .Set("@counts", countAttempt)
                .Set("@error", PostgresRows.Storable(error))
                .ExecuteAsync(token) == 1;
            if (isMine)
            {
                await AttemptHistory.NoteAsync(session, lease.Ended(countAttempt ? AttemptEnding.Failed : AttemptEnding.GivenBack, now, error), token);
                await AttemptHistory.TrimAsync(session, lease.Job, token);
            }

            return isMine;
        }, cancellation);
        _signal.Ring(LedgerTopic.ChunksWaiting);
        _signal.Ring(LedgerTopic.WorkFinished);
    }

    private static Task<List<ClaimedItem>> ListMissingAsync(LedgerSession session, ChunkLease lease, CancellationToken cancellation) => session.Statement("list_missing_items")
        .Set("@job", lease.Job.Value)
        .Set("@first", lease.FirstItem)
        .Set("@end", lease.FirstItem + lease.ItemCount)
        .ListAsync(row => new ClaimedItem(row.GetInt32(0), row.GetString(1), LedgerJson.ReadImages(row.GetString(2)), row.Text(3), row.Text(4)), cancellation);

    internal static SqlStatement ForLease(LedgerSession session, string statement, ChunkLease lease) => session.Statement(statement)
        .Set("@job", lease.Job.Value)
        .Set("@chunk", lease.ChunkNo)
        .Set("@owner", lease.Owner)
        .Set("@fence", lease.Fence);

    private sealed record Claim(ChunkLease Lease, JobState JobState, IReadOnlyList<ClaimedItem> Missing);
}
