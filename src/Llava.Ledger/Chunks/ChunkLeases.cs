using Llava.Contracts;
using Llava.Contracts.States;
using Llava.Ledger.Jobs;
using Llava.Ledger.Signals;
using Llava.Ledger.Storage;

namespace Llava.Ledger.Chunks;

/// <summary>
/// Claims chunks, keeps them, gives them back. Claims that wait at the same moment share a commit; the items of those that were
/// granted are read beside the next claims.
/// </summary>
public sealed class ChunkLeases : IAsyncDisposable
{
    private const int MostClaims = 256;

    private readonly LedgerDatabase _database;
    private readonly ILedgerSignal _signal;
    private readonly LedgerOptions _options;
    private readonly TimeProvider _time;
    private readonly SharedCall<ChunkClaim, ChunkLease?> _claims;
    private readonly SharedCall<ChunkLease, IReadOnlyList<ClaimedItem>> _items;

    internal ChunkLeases(LedgerDatabase database, ILedgerSignal signal, LedgerOptions options, TimeProvider time)
    {
        _database = database;
        _signal = signal;
        _options = options;
        _time = time;
        _claims = new(ClaimAsync, _ => 1, MostClaims);
        _items = new(ListMissingAsync, _ => 1, MostClaims);
    }

    /// <summary>How long a lease holds without renewal.</summary>
    public TimeSpan Duration => _options.Lease;

    /// <summary>Claims the chunk for <paramref name="owner"/>.</summary>
    /// <param name="job">The job.</param>
    /// <param name="chunkNo">The chunk.</param>
    /// <param name="attempt">Lost attempts the caller knows of; a chunk that has seen another since is not claimed.</param>
    /// <param name="owner">The worker.</param>
    /// <param name="cancellation">Takes the claim back as long as it is not under way.</param>
    /// <returns>The lease and what is left to do, or null when there is nothing to do: done, held by another, changed since, or its job does not run.</returns>
    public async Task<ClaimedChunk?> ClaimAsync(JobId job, int chunkNo, int attempt, string owner, CancellationToken cancellation = default)
    {
        if (await _claims.AddAsync(new(job, chunkNo, attempt, owner), cancellation) is not { } lease)
        {
            return null;
        }

        try
        {
            // After the commit and not in it: from now on nobody but the lease's owner adds results to the chunk.
            return new(lease, await MissingItemsAsync(lease, CancellationToken.None));
        }
        catch
        {
            // Whoever tries again finds it open.
            await ReleaseAsync(lease, countAttempt: false, cancellation: CancellationToken.None);
            throw;
        }
    }

    /// <summary>Items of the chunk that have no result by now, in order.</summary>
    public Task<IReadOnlyList<ClaimedItem>> MissingItemsAsync(ChunkLease lease, CancellationToken cancellation = default) => _items.AddAsync(lease, cancellation);

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

    /// <summary>Makes the claims that were handed in and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        await _claims.DisposeAsync();
        await _items.DisposeAsync();
    }

    private async Task<IReadOnlyList<ChunkLease?>> ClaimAsync(IReadOnlyList<ChunkClaim> claims)
    {
        var now = _time.GetUtcNow();
        List<ChunkClaim> ordered = [.. claims.OrderBy(claim => claim.Job).ThenBy(claim => claim.ChunkNo)];
        List<GrantedClaim> granted = [.. (await _database.WriteAsync((session, token) => _database.ClaimAsync(session, ordered, now, now + _options.Lease, token), CancellationToken.None)).OfType<GrantedClaim>()];
        foreach (var job in granted.Where(claim => claim.JobState == JobState.Queued).Select(claim => claim.Lease.Job).Distinct())
        {
            // Not in the same transaction: whoever ends or cancels a job holds the job first and then its chunks, and this would be the other way round.
            await _database.WriteAsync((session, token) => JobTransitions.MoveAsync(session, job, JobState.Queued, JobState.Running, now, null, token), CancellationToken.None);
        }

        // The same claim can be here twice when a message came twice; one of the two was granted.
        var leases = granted.Select(claim => claim.Lease).DistinctBy(ClaimOf).ToDictionary(ClaimOf);
        return [.. claims.Select(claim => leases.Remove(claim, out var lease) ? lease : null)];
    }

    private Task<IReadOnlyList<IReadOnlyList<ClaimedItem>>> ListMissingAsync(IReadOnlyList<ChunkLease> leases) => _database.ReadAsync(
        (session, token) => _database.ListMissingAsync(session, [.. leases.Select(lease => new ItemRange(lease.Job, lease.FirstItem, lease.ItemCount))], token), CancellationToken.None);

    private static ChunkClaim ClaimOf(ChunkLease lease) => new(lease.Job, lease.ChunkNo, lease.Attempt - 1, lease.Owner);

    internal static SqlStatement ForLease(LedgerSession session, string statement, ChunkLease lease) => session.Statement(statement)
        .Set("@job", lease.Job.Value)
        .Set("@chunk", lease.ChunkNo)
        .Set("@owner", lease.Owner)
        .Set("@fence", lease.Fence);
}
