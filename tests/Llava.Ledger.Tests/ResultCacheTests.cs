using Llava.Ledger.Results;
using Microsoft.Extensions.DependencyInjection;

namespace Llava.Ledger.Tests;

/// <summary>Answers that are given again. The same on every database.</summary>
public abstract class ResultCacheTests(TestDatabase database) : LedgerFixture(database)
{
    private static readonly TimeSpan LongTime = TimeSpan.FromDays(365);

    private ResultCache Cache => Get<ResultCache>();

    [Theory]
    [InlineData("a cat 🐈 says 'miau', and\n\"purrs\\\"", "stop", 0.123456789)]
    [InlineData("", "length", null)]
    [InlineData(null, null, null)]
    public async Task An_answer_is_found_as_it_was_stored(string? text, string? reason, double? confidence)
    {
        CachedResult stored = new("k1", null, long.MaxValue - 5, 7, text, reason, confidence);

        await Cache.StoreAsync([stored, stored with { Key = "k2", Text = "other" }]);
        await RestartAsync();

        Assert.Equal(stored, Assert.Single(await Cache.FindAsync(["k1", "k3"])).Value);
        Assert.Empty(await Cache.FindAsync([]));
    }

    [Fact]
    public async Task A_text_that_no_database_can_hold_does_not_cost_the_others_theirs()
    {
        await Cache.StoreAsync([Result("nul") with { Text = "a\0b" }, Result("half") with { Text = "c\uD83D" }, Result("good")]);

        var found = await Cache.FindAsync(["nul", "half", "good"]);

        Assert.Equal(("a\uFFFDb", "c\uFFFD", "good"), (found["nul"].Text, found["half"].Text, found["good"].Text));
    }

    [Fact]
    public async Task Of_two_processes_that_store_the_same_the_first_stays()
    {
        await using var other = Open();
        var keys = Enumerable.Range(0, 200).Select(key => $"{key}").ToList();
        ResultCache[] caches = [Cache, other.GetRequiredService<ResultCache>()];

        await Task.WhenAll(Enumerable.Range(0, 8).Select(writer => Task.Run(() => caches[writer % 2].StoreAsync(
            [.. (writer % 2 == 0 ? keys : Enumerable.Reverse(keys)).Select(key => Result(key) with { Text = $"{writer}" })]))));

        var found = await Cache.FindAsync(keys);
        Assert.Equal(keys.Order(), found.Keys.Order());
        await Cache.StoreAsync([.. keys.Select(key => Result(key) with { Text = "late" })]);
        Assert.Equal(found.OrderBy(one => one.Key), (await Cache.FindAsync(keys)).OrderBy(one => one.Key));
    }

    [Fact]
    public async Task What_is_used_stays_and_what_is_not_is_forgotten_in_time()
    {
        await Cache.StoreAsync([Result("used"), Result("unused")]);
        Clock.Advance(TimeSpan.FromDays(1));
        Assert.Single(await Cache.FindAsync(["used"]));
        Clock.Advance(TimeSpan.FromDays(1));

        Assert.Equal(0, await Cache.TrimAsync(TimeSpan.FromDays(2), 10));
        Assert.Equal(1, await Cache.TrimAsync(TimeSpan.FromDays(2) - TimeSpan.FromMilliseconds(1), 10));

        Assert.Equal(["used"], (await Cache.FindAsync(["used", "unused"])).Keys);
    }

    [Fact]
    public async Task Beyond_the_limit_the_longest_unused_go_even_among_equals()
    {
        await Cache.StoreAsync([.. Enumerable.Range(0, 10).Select(key => Result($"old{key}"))]);
        Clock.Advance(TimeSpan.FromHours(1));
        await Cache.StoreAsync([.. Enumerable.Range(0, 3).Select(key => Result($"new{key}"))]);

        Assert.Equal(0, await Cache.TrimAsync(LongTime, 13));
        Assert.Equal(6, await Cache.TrimAsync(LongTime, 7));

        var left = (await Cache.FindAsync([.. Enumerable.Range(0, 10).SelectMany(key => (string[])[$"old{key}", $"new{key}"])])).Keys;
        Assert.Equal((3, 4), (left.Count(key => key.StartsWith("new", StringComparison.Ordinal)), left.Count(key => key.StartsWith("old", StringComparison.Ordinal))));
        Assert.Equal(7, await Cache.TrimAsync(LongTime, 0));
    }

    [Fact]
    public async Task What_belongs_to_a_job_goes_when_the_job_is_over_and_with_the_job()
    {
        var running = await QueueJobAsync(items: 1);
        var over = await QueueJobAsync(items: 1);
        await Cache.StoreAsync([Result("shared"), Result("running") with { ScopeJobId = running.Value }, Result("over") with { ScopeJobId = over.Value }]);
        await Control.CancelAsync(over);
        await Ending.AdvanceAsync();

        Assert.Equal(1, await Cache.TrimAsync(LongTime, 10));
        Assert.Equal(["running", "shared"], (await Cache.FindAsync(["shared", "running", "over"])).Keys.Order());

        await Control.CancelAsync(running);
        await Ending.AdvanceAsync();
        foreach (var ended in await Ending.UnannouncedAsync())
        {
            await Ending.AnnounceAsync(ended, _ => Task.CompletedTask);
        }

        Clock.Advance(TimeSpan.FromDays(1));
        Assert.Equal(2, await Get<Jobs.JobRetention>().DeleteAsync(TimeSpan.FromHours(1)));
        Assert.Equal(["shared"], (await Cache.FindAsync(["shared", "running"])).Keys);
    }

    [Fact]
    public async Task Copies_are_told_from_answers_of_their_own_and_counted()
    {
        var earlier = await QueueJobAsync(items: 1);
        var job = await QueueJobAsync(items: 4);
        var lease = (await ClaimAsync(job, 0))!;

        await Writer.CommitAsync(
            lease,
            [Answer(0), Answer(1) with { CopyOf = new(job, 0), Usage = default }, Answer(2) with { CopyOf = new(earlier, 0), Usage = default }, Answer(3) with { CopyOf = new(job, 0), Usage = default }],
            completesChunk: true);

        Assert.Equal([null, new ItemReference(job, 0), new ItemReference(earlier, 0), new ItemReference(job, 0)], (await AllResultsAsync(job)).Select(result => result.Result.CopyOf));
        var progress = await Jobs.ProgressAsync(job);
        Assert.Equal((4, 2, 1, 10), (progress.Succeeded, progress.Copied, progress.Cached, progress.PromptTokens));
    }

    private static CachedResult Result(string key) => new(key, null, 1, 0, key, "stop", 0.5);
}

public sealed class SqliteResultCacheTests() : ResultCacheTests(new SqliteFile());

public sealed class PostgresResultCacheTests() : ResultCacheTests(new PostgresTestDatabase());
