using Llava.Contracts;
using Llava.Contracts.States;
using Llava.Ledger.Results;
using Llava.Ledger.Signals;
using Llava.Ledger.Storage;
using Llava.Ledger.Telemetry;
using Microsoft.Extensions.Logging;

namespace Llava.Ledger.Chunks;

/// <summary>
/// Repairs what was lost: leases whose owner fell silent, messages that never arrived, and chunks that keep costing their
/// worker its life, which are halved until the poison item stands alone.
/// </summary>
public sealed partial class LeaseSweep
{
    /// <summary>Code of an item that cost its worker its life as often as is allowed.</summary>
    public const string PoisonCode = "poison_item";

    private readonly LedgerDatabase _database;
    private readonly ILedgerSignal _signal;
    private readonly LedgerOptions _options;
    private readonly LedgerMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger<LeaseSweep> _logger;

    internal LeaseSweep(LedgerDatabase database, ILedgerSignal signal, LedgerOptions options, LedgerMetrics metrics, TimeProvider time, ILogger<LeaseSweep> logger)
    {
        _database = database;
        _signal = signal;
        _options = options;
        _metrics = metrics;
        _time = time;
        _logger = logger;
    }

    /// <summary>Looks once through everything that may need repair.</summary>
    public async Task<SweepReport> SweepAsync(CancellationToken cancellation = default)
    {
        var report = await _database.WriteAloneAsync(LedgerTurn.Sweep, async (session, token) =>
        {
            SweepReport found = new();
            var expired = await ListAsync(session, "list_expired_leases", "@now", Now(), token);
            foreach (var chunk in expired)
            {
                LeaseExpired(chunk.Job, chunk.ChunkNo, chunk.Owner ?? "", chunk.Attempts);
                found = found with { ExpiredLeases = found.ExpiredLeases + 1 };
                await AttemptHistory.NoteAsync(session, chunk.Ended(chunk.IsOwnerDead ? AttemptEnding.WorkerDied : AttemptEnding.LeaseExpired, _time.GetUtcNow()), token);
                await ReopenAsync(session, chunk, chunk.FirstItem, chunk.ItemCount, chunk.Attempts, token);
            }

            var exhausted = await ListAsync(session, "list_exhausted_chunks", "@max", _options.MaxAttempts, token);
            foreach (var chunk in exhausted)
            {
                found = await HalveAsync(session, chunk, found, token);
            }

            foreach (var job in expired.Concat(exhausted).Select(chunk => chunk.Job).Distinct())
            {
                await AttemptHistory.TrimAsync(session, job, token);
            }

            var republished = await session.Statement("unpublish_open_chunks").Set("@before", Now() - (long)_options.RepublishAfter.TotalMilliseconds).ExecuteAsync(token);
            return found with { Republished = republished };
        }, cancellation);
        _metrics.Swept(report);
        if (report != new SweepReport())
        {
            _signal.Ring(LedgerTopic.ChunksWaiting);
            _signal.Ring(LedgerTopic.WorkFinished);
        }

        return report;
    }

    /// <summary>Ends every lease of a worker, on chunks and on training runs, that is known to be dead, at once instead of after its time.</summary>
    public async Task EndLeasesOfAsync(string worker, CancellationToken cancellation = default)
    {
        await _database.WriteAsync((session, token) => session.Statement("end_leases_of").Set("@owner", worker).ExecuteAsync(token), cancellation);
        await _database.WriteAsync((session, token) => session.Statement("end_training_leases_of").Set("@owner", worker).ExecuteAsync(token), cancellation);
        _signal.Ring(LedgerTopic.TrainingChanged);
        await SweepAsync(cancellation);
    }

    /// <summary>A chunk that used up its attempts: halved, or its only item failed.</summary>
    private async Task<SweepReport> HalveAsync(LedgerSession session, SweptChunk chunk, SweepReport report, CancellationToken cancellation)
    {
        List<int> missing = [.. (await _database.ListMissingAsync(session, [new(chunk.Job, chunk.FirstItem, chunk.ItemCount)], cancellation))[0].Select(item => item.ItemNo)];
        switch (missing)
        {
            case []:
                await EndAsync(session, chunk, cancellation);
                return report;
            case [var item] when chunk.ItemCount == 1:
                await FailAsync(session, chunk, item, cancellation);
                return report with { Poisoned = report.Poisoned + 1 };
            default:
                var middle = missing.Count / 2;
                ChunkHalved(chunk.Job, chunk.ChunkNo, missing.Count, chunk.Attempts);
                await AttemptHistory.NoteAsync(session, chunk.Halved(_time.GetUtcNow()), cancellation);
                await ReopenAsync(session, chunk, missing[middle..], cancellation);
                if (middle > 0)
                {
                    await InsertAsync(session, chunk, missing[..middle], cancellation);
                }

                return report with { Halved = report.Halved + 1 };
        }
    }

    /// <summary>
    /// A half has one more chance before it is halved again; a single item has the attempts that an innocent one needs.
    /// Neither starts from nothing: a chunk that lost an attempt runs alone, so that no neighbour is blamed.
    /// </summary>
    private int AttemptsOf(List<int> items) => items.Count > 1 ? _options.MaxAttempts - 1 : 1;

    private Task<int> ReopenAsync(LedgerSession session, SweptChunk chunk, List<int> items, CancellationToken cancellation) =>
        ReopenAsync(session, chunk, items[0], items[^1] - items[0] + 1, AttemptsOf(items), cancellation);

    private static Task<int> ReopenAsync(LedgerSession session, SweptChunk chunk, int first, int count, int attempts, CancellationToken cancellation) => session.Statement("reopen_chunk")
        .Set("@job", chunk.Job.Value)
        .Set("@chunk", chunk.ChunkNo)
        .Set("@first", first)
        .Set("@items", count)
        .Set("@tokens", chunk.TokensOf(count))
        .Set("@attempts", attempts)
        .ExecuteAsync(cancellation);

    private async Task InsertAsync(LedgerSession session, SweptChunk chunk, List<int> items, CancellationToken cancellation)
    {
        // Retries and whoever reads a source give chunks of a job that runs numbers too, and wait for the same turn.
        var next = await session.Statement("next_chunk").Set("@job", chunk.Job.Value).FirstAsync(row => row.GetInt32(0), cancellation);
        var count = items[^1] - items[0] + 1;
        await _database.InsertChunksAsync(session, [new(chunk.Job.Value, next, items[0], count, chunk.TokensOf(count), ChunkState.Open, AttemptsOf(items), chunk.Model)], cancellation);
    }

    private async Task FailAsync(LedgerSession session, SweptChunk chunk, int item, CancellationToken cancellation)
    {
        ItemPoisoned(chunk.Job, item, chunk.Attempts);
        var lastWords = chunk.Error is null ? "" : $" The last failure said: {chunk.Error}";
        var failed = FinishedItem.Failed(item, new(PoisonCode, $"The item ended or failed its worker in each of {chunk.Attempts} attempts; look at the image and the worker's log.{lastWords}"));
        await _database.InsertResultsAsync(session, [new(chunk.Job.Value, failed, null, chunk.Attempts, Now())], cancellation);
        await EndAsync(session, chunk, cancellation);
    }

    private static Task<int> EndAsync(LedgerSession session, SweptChunk chunk, CancellationToken cancellation) =>
        session.Statement("end_chunk").Set("@job", chunk.Job.Value).Set("@chunk", chunk.ChunkNo).ExecuteAsync(cancellation);

    private static Task<List<SweptChunk>> ListAsync(LedgerSession session, string statement, string parameter, long value, CancellationToken cancellation) =>
        session.Statement(statement).Set(parameter, value).ListAsync(SweptChunk.Read, cancellation);

    private long Now() => _time.GetUtcNow().ToUnixTimeMilliseconds();

    [LoggerMessage(2020, LogLevel.Warning, "Lease of worker {Owner} on chunk {Chunk} of job {Job} ended unrenewed after attempt {Attempt}; the chunk is open again")]
    private partial void LeaseExpired(JobId job, int chunk, string owner, int attempt);

    [LoggerMessage(2021, LogLevel.Warning, "Chunk {Chunk} of job {Job} with {Items} unanswered items lost {Attempts} attempts; halved to find the item that does it")]
    private partial void ChunkHalved(JobId job, int chunk, int items, int attempts);

    [LoggerMessage(2022, LogLevel.Error, "Item {Item} of job {Job} is poison: {Attempts} attempts were lost on it alone")]
    private partial void ItemPoisoned(JobId job, int item, int attempts);
}

/// <summary>What a sweep repaired.</summary>
/// <param name="ExpiredLeases">Leases that ended unrenewed.</param>
/// <param name="Halved">Chunks that were split to find a poison item.</param>
/// <param name="Poisoned">Items that were failed as poison.</param>
/// <param name="Republished">Chunks whose message is sent again.</param>
public sealed record SweepReport(int ExpiredLeases = 0, int Halved = 0, int Poisoned = 0, int Republished = 0);
