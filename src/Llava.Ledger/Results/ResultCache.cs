using System.Text.Json;
using Llava.Ledger.Storage;

namespace Llava.Ledger.Results;

/// <summary>
/// Answers that may be given again, by the hash of all they depend on (docs/decisions/0010-result-cache.md). Never the truth about
/// an item: losing all of it costs work and nothing else.
/// </summary>
public sealed class ResultCache
{
    // When a row was last used decides what is trimmed; to the hour is exact enough, and an answer given a million times is not written a million times.
    private static readonly TimeSpan UseHolds = TimeSpan.FromHours(1);

    private readonly LedgerDatabase _database;
    private readonly TimeProvider _time;

    internal ResultCache(LedgerDatabase database, TimeProvider time)
    {
        _database = database;
        _time = time;
    }

    /// <summary>What there is under these keys, in one query.</summary>
    public async Task<Dictionary<string, CachedResult>> FindAsync(IReadOnlyList<string> keys, CancellationToken cancellation = default)
    {
        if (keys.Count == 0)
        {
            return [];
        }

        var json = JsonSerializer.Serialize(keys, LedgerJson.Default.IReadOnlyListString);
        var now = _time.GetUtcNow();
        var found = await _database.ReadAsync((session, token) => session.Statement("find_cached_results")
            .Set("@keys", json)
            .ListAsync(row => (
                Result: new CachedResult(row.GetString(0), null, row.GetInt64(1), row.GetInt32(2), row.Text(3), row.Text(4), row.IsDBNull(5) ? null : row.GetDouble(5)),
                UsedAt: row.Time(6)), token), cancellation);
        if (found.Exists(one => one.UsedAt <= now - UseHolds))
        {
            await _database.WriteAsync((session, token) => session.Statement("touch_cached_results")
                .Set("@keys", json)
                .Set("@now", now.ToUnixTimeMilliseconds())
                .Set("@before", (now - UseHolds).ToUnixTimeMilliseconds())
                .ExecuteAsync(token), cancellation);
        }

        return found.ToDictionary(one => one.Result.Key, one => one.Result);
    }

    /// <summary>Keeps answers; where two made the same, the first stays.</summary>
    public async Task StoreAsync(IReadOnlyList<CachedResult> results, CancellationToken cancellation = default)
    {
        if (results.Count > 0)
        {
            var json = JsonSerializer.Serialize([.. results.Select(result => result with { Text = PostgresRows.Storable(result.Text) })], LedgerJson.Default.IReadOnlyListCachedResult);
            await _database.WriteAsync((session, token) => session.Statement("insert_cached_results")
                .Set("@rows", json)
                .Set("@now", _time.GetUtcNow().ToUnixTimeMilliseconds())
                .ExecuteAsync(token), cancellation);
        }
    }

    /// <summary>Forgets what was not used for <paramref name="keep"/>, what belongs to jobs that are over, and of the rest the longest unused beyond <paramref name="mostRows"/>.</summary>
    /// <returns>How many answers.</returns>
    public Task<int> TrimAsync(TimeSpan keep, int mostRows, CancellationToken cancellation = default) =>
        _database.WriteAloneAsync(LedgerTurn.Delete, async (session, token) =>
            await session.Statement("delete_unused_cached_results").Set("@before", (_time.GetUtcNow() - keep).ToUnixTimeMilliseconds()).ExecuteAsync(token)
            + await session.Statement("delete_cached_results_of_ended_jobs").ExecuteAsync(token)
            + await session.Statement("trim_cached_results").Set("@keep", mostRows).ExecuteAsync(token), cancellation);
}
