using System.Text.Json;
using Llava.Ledger.Signals;
using Llava.Ledger.Storage;

namespace Llava.Ledger.Workers;

/// <summary>Who lives and what each serves.</summary>
public sealed class WorkerRegistry
{
    private readonly LedgerDatabase _database;
    private readonly ILedgerSignal _signal;
    private readonly LedgerOptions _options;
    private readonly TimeProvider _time;

    internal WorkerRegistry(LedgerDatabase database, ILedgerSignal signal, LedgerOptions options, TimeProvider time)
    {
        _database = database;
        _signal = signal;
        _options = options;
        _time = time;
    }

    /// <summary>How long a worker counts as alive without a heartbeat.</summary>
    public TimeSpan Expiry => _options.WorkerExpiry;

    /// <summary>Says that the worker lives, and what it serves; also how it registers.</summary>
    public async Task HeartbeatAsync(WorkerRecord worker, CancellationToken cancellation = default)
    {
        await _database.WriteAsync((session, token) => session.Statement("upsert_worker")
            .Set("@id", worker.Id)
            .Set("@host", worker.Host)
            .Set("@process", worker.ProcessId)
            .Set("@started", (long)worker.ProcessStart.TotalMilliseconds)
            .Set("@models", JsonSerializer.Serialize(worker.Models, LedgerJson.Default.IReadOnlyListServedModel))
            .Set("@bases", JsonSerializer.Serialize(worker.Bases, LedgerJson.Default.IReadOnlyListString))
            .Set("@draining", worker.Draining)
            .Set("@now", _time.GetUtcNow().ToUnixTimeMilliseconds())
            .ExecuteAsync(token), cancellation);
        _signal.Ring(LedgerTopic.ChunksWaiting);
    }

    /// <summary>Workers that live.</summary>
    public async Task<IReadOnlyList<WorkerRecord>> LiveAsync(CancellationToken cancellation = default)
    {
        var oldest = _time.GetUtcNow() - _options.WorkerExpiry;
        return [.. (await ListAsync(cancellation)).Where(worker => worker.HeartbeatAt >= oldest)];
    }

    /// <summary>All workers that did not say goodbye, the silent ones included.</summary>
    public Task<List<WorkerRecord>> ListAsync(CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => session.Statement("list_workers").ListAsync(row => new WorkerRecord
        {
            Id = row.GetString(0),
            Host = row.GetString(1),
            ProcessId = row.GetInt32(2),
            ProcessStart = TimeSpan.FromMilliseconds(row.GetInt64(3)),
            Models = JsonSerializer.Deserialize(row.GetString(4), LedgerJson.Default.IReadOnlyListServedModel) ?? [],
            Draining = row.GetBoolean(5),
            HeartbeatAt = row.Time(6),
            RegisteredAt = row.Time(7),
            Bases = JsonSerializer.Deserialize(row.GetString(8), LedgerJson.Default.IReadOnlyListString) ?? [],
        }, token), cancellation);

    /// <summary>What workers have in hand, by worker and job.</summary>
    public Task<List<WorkInHand>> WorkInHandAsync(CancellationToken cancellation = default) =>
        _database.ReadAsync((session, token) => session.Statement("list_work_in_hand").ListAsync(
            row => new WorkInHand(row.GetString(0), new(row.GetInt64(1)), row.GetString(2), row.GetInt32(3), (int)row.GetInt64(4), row.Time(5)), token), cancellation);

    /// <summary>Strikes the worker off: it ended, or is known to be dead.</summary>
    public Task RemoveAsync(string worker, CancellationToken cancellation = default) =>
        _database.WriteAsync((session, token) => session.Statement("delete_worker").Set("@id", worker).ExecuteAsync(token), cancellation);
}
