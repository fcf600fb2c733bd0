using System.Collections.Concurrent;
using System.Data;
using System.Reflection;
using System.Text.Json;
using System.Threading.Channels;
using Llava.Contracts;
using Llava.Contracts.States;
using Llava.Ledger.Chunks;
using Llava.Ledger.Schema;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using SQLitePCL;

namespace Llava.Ledger.Storage;

/// <summary>
/// One file in WAL mode. Readers have sessions of their own; one writer task runs all writes of this process, those that
/// wait at the same moment in one <c>begin immediate</c> transaction, each behind its own savepoint. Other processes may
/// use the file at the same time.
/// </summary>
internal sealed class SqliteDatabase : LedgerDatabase
{
    private const int MaxWritesPerCommit = 256;

    private readonly LedgerSql _sql = new("Sqlite");
    private readonly string _connectionString;
    private readonly LedgerOptions _options;
    private readonly ConcurrentBag<LedgerSession> _readers = [];
    private readonly Channel<PendingWrite> _writes = Channel.CreateUnbounded<PendingWrite>(new() { SingleReader = true });
    private readonly Lazy<Task> _writer;
    private readonly Lazy<Task> _prepared;
    private volatile bool _disposed;

    /// <summary>
    /// A session serves one caller at a time, so SQLite needs no lock of its own at every call; and nobody asks it how much memory
    /// it uses, which takes a lock at every allocation.
    /// </summary>
    static SqliteDatabase()
    {
        Batteries_V2.Init();
        raw.sqlite3_config(raw.SQLITE_CONFIG_MULTITHREAD);
        raw.sqlite3_config(raw.SQLITE_CONFIG_MEMSTATUS, 0);
    }

    public SqliteDatabase(LedgerOptions options)
    {
        _options = options;
        _connectionString = new SqliteConnectionStringBuilder
        {
            DataSource = Path.GetFullPath(options.Location),
            Pooling = false, // sessions are kept here, with their prepared statements
            DefaultTimeout = (int)options.BusyTimeout.TotalSeconds,
        }.ToString();
        _writer = new(() => Task.Run(CommitLoopAsync));
        _prepared = new(MigrateAsync);
    }

    public override async Task<T> ReadAsync<T>(Func<LedgerSession, CancellationToken, Task<T>> read, CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        await PrepareAsync();
        var session = _readers.TryTake(out var idle) ? idle : await OpenAsync(cancellation);
        try
        {
            return await read(session, cancellation);
        }
        finally
        {
            await GiveBackAsync(session);
        }
    }

    public override async Task<T> WriteAsync<T>(Func<LedgerSession, CancellationToken, Task<T>> write, CancellationToken cancellation)
    {
        await PrepareAsync();
        PendingWrite<T> pending = new(write, cancellation);
        _ = _writer.Value;
        return _writes.Writer.TryWrite(pending) ? await pending.Committed : throw new ObjectDisposedException(nameof(SqliteDatabase));
    }

    /// <remarks>Every write is alone here.</remarks>
    public override Task<T> WriteAloneAsync<T>(LedgerTurn turn, Func<LedgerSession, CancellationToken, Task<T>> write, CancellationToken cancellation) =>
        WriteAsync(write, cancellation);

    public override async Task<bool> TryAloneAsync(string turn, TimeSpan atMost, Func<CancellationToken, Task> work, CancellationToken cancellation)
    {
        await work(cancellation);
        return true;
    }

    public override Task InsertItemsAsync(LedgerSession session, IReadOnlyList<ItemDraft> items, CancellationToken cancellation)
    {
        using SqliteRowInsert insert = new(session, _sql["insert_item"]);
        foreach (var item in items)
        {
            insert.Bind(item.JobId).Bind(item.ItemNo).Bind(item.CustomId).Bind(item.Images).Bind(item.Prompt).Bind(item.Category).Bind(item.Model).Bind(item.Chat).Run();
        }

        return Task.CompletedTask;
    }

    public override Task InsertChunksAsync(LedgerSession session, IReadOnlyList<ChunkDraft> chunks, CancellationToken cancellation)
    {
        using SqliteRowInsert insert = new(session, _sql["insert_chunk"]);
        foreach (var chunk in chunks)
        {
            insert.Bind(chunk.JobId).Bind(chunk.ChunkNo).Bind(chunk.FirstItem).Bind(chunk.ItemCount).Bind(chunk.Tokens).Bind(chunk.State.WireName()).Bind(chunk.Attempts).Bind(chunk.Model).Run();
        }

        return Task.CompletedTask;
    }

    public override Task InsertResultsAsync(LedgerSession session, IReadOnlyList<ResultDraft> results, CancellationToken cancellation)
    {
        using SqliteRowInsert insert = new(session, _sql["insert_result"]);
        foreach (var result in results)
        {
            var (item, lease, timings) = (result.Item, result.Lease, result.Item.Timings ?? default);
            insert.Bind(result.JobId).Bind(item.ItemNo).Bind(item.Outcome.WireName()).Bind(item.Text).Bind(item.FinishReason)
                .Bind(item.Usage.PromptTokens).Bind(item.Usage.CompletionTokens).Bind(item.Usage.CachedTokens)
                .Bind(lease?.QueuedAt.ToUnixTimeMilliseconds()).Bind(lease?.ClaimedAt.ToUnixTimeMilliseconds())
                .Bind(item.Timings?.PrepareMs).Bind(timings.QueueMs).Bind(timings.PrefillMs).Bind(timings.DecodeMs).Bind(item.Confidence)
                .Bind(item.Failure?.Code).Bind(item.Failure?.Message).Bind(lease?.Owner).Bind(result.ModelRevision)
                .Bind(result.Attempts).Bind(result.FinishedAt).Bind(item.CopyOf?.Job.Value).Bind((long?)item.CopyOf?.ItemNo).Run();
        }

        return Task.CompletedTask;
    }

    public override async Task<IReadOnlyList<GrantedClaim?>> ClaimAsync(LedgerSession session, IReadOnlyList<ChunkClaim> claims, DateTimeOffset now, DateTimeOffset until, CancellationToken cancellation)
    {
        var statement = session.Statement("claim_chunk").Set("@now", now.ToUnixTimeMilliseconds()).Set("@until", until.ToUnixTimeMilliseconds());
        List<GrantedClaim?> granted = [];
        foreach (var claim in claims)
        {
            granted.Add(await statement
                .Set("@job", claim.Job.Value)
                .Set("@chunk", claim.ChunkNo)
                .Set("@attempt", claim.Attempt)
                .Set("@owner", claim.Owner)
                .FirstAsync(row => ClaimColumns.Read(row, 0, claim), cancellation));
        }

        return granted;
    }

    public override async Task<IReadOnlyList<IReadOnlyList<ClaimedItem>>> ListMissingAsync(LedgerSession session, IReadOnlyList<ItemRange> ranges, CancellationToken cancellation)
    {
        var statement = session.Statement("list_missing_items");
        List<IReadOnlyList<ClaimedItem>> missing = [];
        foreach (var range in ranges)
        {
            missing.Add(await statement
                .Set("@job", range.Job.Value)
                .Set("@first", range.First)
                .Set("@end", range.End)
                .ListAsync(row => ClaimColumns.ReadItem(row, 0), cancellation));
        }

        return missing;
    }

    public override Task InsertKeysAsync(LedgerSession session, IReadOnlyList<KeyDraft> keys, CancellationToken cancellation)
    {
        using SqliteRowInsert insert = new(session, _sql["insert_key"]);
        foreach (var key in keys)
        {
            insert.Bind(key.Schedule).Bind(key.Key).Bind(key.JobId).Bind(key.ItemNo).Run();
        }

        return Task.CompletedTask;
    }

    public override async Task<IReadOnlySet<long>> ListKnownAsync(LedgerSession session, JobId job, IReadOnlyList<long> keys, CancellationToken cancellation)
    {
        var known = await session.Statement("list_known_keys").Set("@job", job.Value).Set("@keys", JsonSerializer.Serialize(keys)).ListAsync(row => row.GetInt64(0), cancellation);
        return known.ToHashSet();
    }

    public override async Task<IReadOnlySet<ChunkLease>> HoldAsync(LedgerSession session, IReadOnlyList<UsedLease> leases, CancellationToken cancellation)
    {
        HashSet<ChunkLease> held = [];
        foreach (var (lease, completesChunk) in leases)
        {
            if (await ChunkLeases.ForLease(session, completesChunk ? "finish_chunk" : "check_lease", lease).ExecuteAsync(cancellation) == 1)
            {
                held.Add(lease);
            }
        }

        return held;
    }

    public override async Task MarkPublishedAsync(LedgerSession session, IReadOnlyList<WaitingChunk> chunks, DateTimeOffset now, CancellationToken cancellation)
    {
        var mark = session.Statement("mark_published").Set("@now", now.ToUnixTimeMilliseconds());
        foreach (var chunk in chunks)
        {
            await mark.Set("@job", chunk.Job.Value).Set("@chunk", chunk.ChunkNo).Set("@fence", chunk.Fence).ExecuteAsync(cancellation);
        }
    }

    public override Task PrepareAsync() => _prepared.Value;

    public override async ValueTask DisposeAsync()
    {
        _disposed = true;
        _writes.Writer.TryComplete();
        if (_writer.IsValueCreated)
        {
            await _writer.Value;
        }

        while (_readers.TryTake(out var session))
        {
            await session.DisposeAsync();
        }
    }

    private async ValueTask GiveBackAsync(LedgerSession session)
    {
        if (_disposed)
        {
            await session.DisposeAsync();
        }
        else
        {
            _readers.Add(session);
        }
    }

    /// <summary>Asking the assembly and one row is cheaper by far than building EF Core's model only to learn that nothing is to be done.</summary>
    private async Task MigrateAsync()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(_options.Location))!);
        if (await CreateOrReadVersionAsync() != NewestMigration())
        {
            await using var context = SqliteLedgerContext.Open(_connectionString);
            await context.Database.MigrateAsync();
        }
    }

    private static string NewestMigration() => typeof(SqliteDatabase).Assembly.GetTypes()
        .Where(type => type.GetCustomAttribute<DbContextAttribute>()?.ContextType == typeof(SqliteLedgerContext))
        .Select(type => type.GetCustomAttribute<MigrationAttribute>()?.Id)
        .Max()!;

    private async Task<string?> CreateOrReadVersionAsync()
    {
        await using var session = await OpenAsync(CancellationToken.None);
        if (!await HasMigrationsAsync(session))
        {
            await using var transaction = await session.Connection.BeginTransactionAsync(IsolationLevel.Serializable);
            session.Transaction = transaction;
            if (!await HasMigrationsAsync(session)) // another process may have been first
            {
                await session.Statement("create").ExecuteAsync(CancellationToken.None);
            }

            await transaction.CommitAsync();
            session.Transaction = null;
        }

        return await session.Statement("newest_migration").FirstAsync(row => row.Text(0), CancellationToken.None);
    }

    private static async Task<bool> HasMigrationsAsync(LedgerSession session) =>
        await session.Statement("has_migrations").FirstAsync(row => row.GetInt32(0), CancellationToken.None) > 0;

    private async Task<LedgerSession> OpenAsync(CancellationToken cancellation)
    {
        SqliteConnection connection = new(_connectionString);
        await connection.OpenAsync(cancellation);
        LedgerSession session = new(connection, _sql);
        await session.Statement("open").ExecuteAsync(cancellation);
        return session;
    }

    private async Task<LedgerSession> OpenWriterAsync()
    {
        var session = await OpenAsync(CancellationToken.None);
        await session.Statement(_options.SurvivePowerLoss ? "open_durable_writer" : "open_writer").ExecuteAsync(CancellationToken.None);
        return session;
    }

    private async Task CommitLoopAsync()
    {
        LedgerSession? session = null;
        List<PendingWrite> batch = [];
        while (await _writes.Reader.WaitToReadAsync())
        {
            try
            {
                session ??= await OpenWriterAsync();
                await CommitTogetherAsync(session, batch);
            }
            catch (Exception failure)
            {
                // The commit itself failed (disk full, file locked too long): every write of it failed; a fresh connection serves the next.
                batch.ForEach(write => write.Fail(failure));
                await (session?.DisposeAsync() ?? ValueTask.CompletedTask);
                session = null;
                FailOneWaiting(batch, failure);
            }

            batch.Clear();
        }

        await (session?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    /// <summary>When not even a connection could be opened, the write that asked for it must hear of it.</summary>
    private void FailOneWaiting(List<PendingWrite> batch, Exception failure)
    {
        if (batch.Count == 0 && _writes.Reader.TryRead(out var waiting))
        {
            waiting.Fail(failure);
        }
    }

    private async Task CommitTogetherAsync(LedgerSession session, List<PendingWrite> batch)
    {
        // Serializable is spelled "begin immediate": the lock is taken before anything is read, so no write fails halfway with SQLITE_BUSY.
        await using var transaction = await session.Connection.BeginTransactionAsync(IsolationLevel.Serializable);
        session.Transaction = transaction;
        while (batch.Count < MaxWritesPerCommit && _writes.Reader.TryRead(out var write))
        {
            batch.Add(write);
            await session.Statement("savepoint").ExecuteAsync(CancellationToken.None);
            if (!await write.RunAsync(session))
            {
                await session.Statement("rollback_to_savepoint").ExecuteAsync(CancellationToken.None);
            }

            await session.Statement("release_savepoint").ExecuteAsync(CancellationToken.None);
        }

        await transaction.CommitAsync();
        session.Transaction = null;
        batch.ForEach(write => write.Complete());
    }
}
