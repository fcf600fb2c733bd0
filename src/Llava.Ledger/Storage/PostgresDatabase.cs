using System.Data;
using System.Diagnostics;
using System.Globalization;
using Llava.Contracts;
using Llava.Ledger.Chunks;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Llava.Ledger.Storage;

/// <summary>
/// A PostgreSQL database that many processes use at once. Every read and write has a pooled connection of its own; writes are
/// read committed, so they hold the rows they decide about. What fails because the server restarts is tried again until it
/// is back, as long as <see cref="LedgerOptions.RetryFor"/> allows.
/// </summary>
internal sealed partial class PostgresDatabase : LedgerDatabase
{
    /// <summary>COPY takes two more turns to the server and back.</summary>
    private const int FewestToCopy = 128;

    private static readonly TimeSpan ClockHolds = TimeSpan.FromMinutes(1);

    private readonly TimeSpan _retryFor;
    private readonly LedgerClock _clock;
    private readonly ILogger _logger;
    private readonly PostgresSchema _schema;
    private readonly Lock _preparing = new();
    private Task? _prepared;
    private long _clockReadAt;

    public PostgresDatabase(PostgresAddress address, LedgerOptions options, LedgerClock clock, ILogger logger)
    {
        Address = address;
        _clock = clock;
        _retryFor = options.RetryFor;
        _logger = logger;
        _schema = new(address, Sql);
        Source = NpgsqlDataSource.Create(address.ConnectionString);
    }

    /// <summary>Where it is.</summary>
    public PostgresAddress Address { get; }

    /// <summary>The pool of connections.</summary>
    public NpgsqlDataSource Source { get; }

    /// <summary>Its statements.</summary>
    public LedgerSql Sql { get; } = new("Postgres");

    public override async Task<T> ReadAsync<T>(Func<LedgerSession, CancellationToken, Task<T>> read, CancellationToken cancellation)
    {
        await PrepareAsync();
        return await TryAsync(async _ =>
        {
            await using LedgerSession session = new(await Source.OpenConnectionAsync(cancellation), Sql);
            return await read(session, cancellation);
        }, cancellation);
    }

    public override async Task<T> WriteAsync<T>(Func<LedgerSession, CancellationToken, Task<T>> write, CancellationToken cancellation)
    {
        await PrepareAsync();
        return await TryAsync(async attempt =>
        {
            var connection = await Source.OpenConnectionAsync(cancellation);
            await using LedgerSession session = new(connection, Sql) { IsRepeat = attempt.MayBeCommitted || attempt.MetRows };
            if (Stopwatch.GetElapsedTime(Volatile.Read(ref _clockReadAt)) > ClockHolds)
            {
                await ReadClockAsync(session, cancellation);
            }

            await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellation);
            session.Transaction = transaction;
            var result = await write(session, cancellation);
            attempt.IsCommitting = true;
            await transaction.CommitAsync(CancellationToken.None); // given up halfway, nobody would know what became of it
            return result;
        }, cancellation);
    }

    public override Task<T> WriteAloneAsync<T>(LedgerTurn turn, Func<LedgerSession, CancellationToken, Task<T>> write, CancellationToken cancellation) =>
        WriteAsync(async (session, token) =>
        {
            await session.Statement("take_turn").Set("@turn", (int)turn).ExecuteAsync(token);
            return await write(session, token);
        }, cancellation);

    /// <remarks>The turn is an open transaction that nothing is written in.</remarks>
    public override Task<bool> TryAloneAsync(string turn, TimeSpan atMost, Func<CancellationToken, Task> work, CancellationToken cancellation) =>
        WriteAsync(async (session, token) =>
        {
            var isMine = await session.Statement("try_turn")
                .Set("@turn", turn)
                .Set("@milliseconds", ((long)atMost.TotalMilliseconds).ToString(CultureInfo.InvariantCulture))
                .FirstAsync(row => row.GetBoolean(0), token);
            if (isMine)
            {
                await work(token);
            }

            return isMine;
        }, cancellation);

    public override Task InsertItemsAsync(LedgerSession session, IReadOnlyList<ItemDraft> items, CancellationToken cancellation) =>
        PostgresRows.CopyAsync(session, Sql["copy_items"], items, cancellation);

    public override Task InsertChunksAsync(LedgerSession session, IReadOnlyList<ChunkDraft> chunks, CancellationToken cancellation) =>
        PostgresRows.CopyAsync(session, Sql["copy_chunks"], chunks, cancellation);

    /// <remarks>COPY is the faster by a third, and cannot leave rows alone that are there: when some are, which is rare, the write is repeated without it.</remarks>
    public override Task InsertResultsAsync(LedgerSession session, IReadOnlyList<ResultDraft> results, CancellationToken cancellation) =>
        results.Count < FewestToCopy || session.IsRepeat
            ? PostgresRows.InsertAsync(session.Statement("insert_results"), results, cancellation)
            : PostgresRows.CopyAsync(session, Sql["copy_results"], results, cancellation);

    public override async Task<IReadOnlyList<GrantedClaim?>> ClaimAsync(LedgerSession session, IReadOnlyList<ChunkClaim> claims, DateTimeOffset now, DateTimeOffset until, CancellationToken cancellation)
    {
        var granted = new GrantedClaim?[claims.Count];
        await AddAsync("claim_chunks");
        if (session.IsRepeat)
        {
            await AddAsync("find_claims");
        }

        return granted;

        async Task AddAsync(string statement)
        {
            var command = session.Statement(statement)
                .Set("@jobs", claims.Select(claim => claim.Job.Value).ToArray())
                .Set("@chunks", claims.Select(claim => claim.ChunkNo).ToArray())
                .Set("@attempts", claims.Select(claim => claim.Attempt).ToArray())
                .Set("@owners", claims.Select(claim => claim.Owner).ToArray())
                .Set("@until", until.ToUnixTimeMilliseconds());
            if (statement == "claim_chunks")
            {
                command.Set("@now", now.ToUnixTimeMilliseconds());
            }

            foreach (var (place, claim) in await command.ListAsync(row => (row.GetInt32(0) - 1, ClaimColumns.Read(row, 1, claims[row.GetInt32(0) - 1])), cancellation))
            {
                granted[place] = claim;
            }
        }
    }

    public override async Task<IReadOnlyList<IReadOnlyList<ClaimedItem>>> ListMissingAsync(LedgerSession session, IReadOnlyList<ItemRange> ranges, CancellationToken cancellation)
    {
        List<ClaimedItem>[] missing = [.. ranges.Select(range => new List<ClaimedItem>(range.Count))];
        var rows = await session.Statement("list_missing_items")
            .Set("@jobs", ranges.Select(range => range.Job.Value).ToArray())
            .Set("@firsts", ranges.Select(range => range.First).ToArray())
            .Set("@ends", ranges.Select(range => range.End).ToArray())
            .ListAsync(row => (Place: row.GetInt32(0), Item: ClaimColumns.ReadItem(row, 1)), cancellation);
        rows.ForEach(row => missing[row.Place - 1].Add(row.Item));
        return missing;
    }

    /// <remarks>In the order of the keys, which all writers share.</remarks>
    public override Task InsertKeysAsync(LedgerSession session, IReadOnlyList<KeyDraft> keys, CancellationToken cancellation)
    {
        var ordered = keys.OrderBy(key => key.Key).ToList();
        return session.Statement("insert_keys")
            .Set("@schedules", ordered.ConvertAll(key => key.Schedule).ToArray())
            .Set("@keys", ordered.ConvertAll(key => key.Key).ToArray())
            .Set("@jobs", ordered.ConvertAll(key => key.JobId).ToArray())
            .Set("@items", ordered.ConvertAll(key => key.ItemNo).ToArray())
            .ExecuteAsync(cancellation);
    }

    public override async Task<IReadOnlySet<long>> ListKnownAsync(LedgerSession session, JobId job, IReadOnlyList<long> keys, CancellationToken cancellation)
    {
        var known = await session.Statement("list_known_keys").Set("@job", job.Value).Set("@keys", keys.ToArray()).ListAsync(row => row.GetInt64(0), cancellation);
        return known.ToHashSet();
    }

    public override async Task<IReadOnlySet<ChunkLease>> HoldAsync(LedgerSession session, IReadOnlyList<UsedLease> leases, CancellationToken cancellation)
    {
        var held = await session.Statement("hold_leases")
            .Set("@jobs", leases.Select(used => used.Lease.Job.Value).ToArray())
            .Set("@chunks", leases.Select(used => used.Lease.ChunkNo).ToArray())
            .Set("@owners", leases.Select(used => used.Lease.Owner).ToArray())
            .Set("@fences", leases.Select(used => used.Lease.Fence).ToArray())
            .Set("@completes", leases.Select(used => used.CompletesChunk).ToArray())
            .ListAsync(row => row.GetInt32(0), cancellation);
        return held.Select(place => leases[place - 1].Lease).ToHashSet();
    }

    public override Task MarkPublishedAsync(LedgerSession session, IReadOnlyList<WaitingChunk> chunks, DateTimeOffset now, CancellationToken cancellation) => session.Statement("mark_published")
        .Set("@jobs", chunks.Select(chunk => chunk.Job.Value).ToArray())
        .Set("@chunks", chunks.Select(chunk => chunk.ChunkNo).ToArray())
        .Set("@fences", chunks.Select(chunk => chunk.Fence).ToArray())
        .Set("@now", now.ToUnixTimeMilliseconds())
        .ExecuteAsync(cancellation);

    public override Task PrepareAsync()
    {
        if (_prepared is { IsCompletedSuccessfully: true })
        {
            return _prepared;
        }

        lock (_preparing)
        {
            // What failed while the server was away is asked for again.
            return _prepared = _prepared is null or { IsFaulted: true } ? Task.Run(MigrateAsync) : _prepared;
        }
    }

    public override ValueTask DisposeAsync() => Source.DisposeAsync();

    private Task<bool> MigrateAsync() => TryAsync(async _ =>
    {
        await _schema.UpdateAsync(Source);
        await using LedgerSession session = new(await Source.OpenConnectionAsync(), Sql);
        await ReadClockAsync(session, CancellationToken.None);
        return true;
    }, CancellationToken.None);

    private async Task ReadClockAsync(LedgerSession session, CancellationToken cancellation)
    {
        _clock.Follow(await session.Statement("server_time").FirstAsync(row => row.Time(0), cancellation));
        Volatile.Write(ref _clockReadAt, Stopwatch.GetTimestamp());
    }

    private async Task<T> TryAsync<T>(Func<Attempt, Task<T>> run, CancellationToken cancellation)
    {
        var started = Stopwatch.GetTimestamp();
        Attempt attempt = new();
        for (var tries = 0; ; tries++)
        {
            try
            {
                return await run(attempt);
            }
            catch (PostgresException failure) when (failure is { SqlState: PostgresErrorCodes.UniqueViolation, TableName: "results" } && !attempt.MetRows)
            {
                attempt.MetRows = true;
                continue;
            }
            catch (Exception failure) when (PostgresFaults.IsTransient(failure) && !cancellation.IsCancellationRequested)
            {
                attempt.Failed();
                if (Stopwatch.GetElapsedTime(started) >= _retryFor)
                {
                    throw PostgresFaults.Explain(Address, failure, attempt.MayBeCommitted);
                }

                if (tries == 0)
                {
                    TryingAgain(Address, PostgresFaults.Reason(failure), _retryFor);
                }
            }
            catch (Exception failure) when (PostgresFaults.IsRefusal(failure))
            {
                throw PostgresFaults.Explain(Address, failure, attempt.MayBeCommitted);
            }

            await Task.Delay(PostgresFaults.PauseAfter(tries), cancellation);
        }
    }

    [LoggerMessage(2030, LogLevel.Warning, "The ledger, {Address}, failed a read or write ({Reason}); trying again for up to {RetryFor}")]
    private partial void TryingAgain(PostgresAddress address, string reason, TimeSpan retryFor);

    /// <summary>What the tries of one write have in common.</summary>
    private sealed class Attempt
    {
        public bool IsCommitting { get; set; }

        public bool MayBeCommitted { get; private set; }

        /// <summary>Whether results that it took for new were there.</summary>
        public bool MetRows { get; set; }

        public void Failed()
        {
            MayBeCommitted |= IsCommitting;
            IsCommitting = false;
        }
    }
}
