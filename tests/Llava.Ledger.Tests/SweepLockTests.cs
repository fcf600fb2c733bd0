using Llava.Contracts;
using Llava.Ledger.Storage;

namespace Llava.Ledger.Tests;

/// <summary>
/// The lists that a sweep goes through, on PostgreSQL: what one transaction has taken from them no other gets, and none waits.
/// Sweeps take turns besides; these tests hold the statements themselves to it, against other sweepers and against workers.
/// </summary>
public sealed class SweepLockTests() : LedgerFixture(new PostgresTestDatabase())
{
    /// <summary>Long for a statement, short for one that waits for a transaction that does not end before the statement does.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private const int Count = 40;

    [Theory]
    [InlineData("list_expired_leases")]
    [InlineData("list_exhausted_chunks")]
    public async Task Of_two_sweepers_the_second_gets_nothing_that_the_first_has_and_does_not_wait(string list)
    {
        await PrepareAsync();

        var (first, second) = await WhileHeldAsync(session => ListAsync(session, list), session => ListAsync(session, list));

        Assert.Equal(Count, first.Count);
        Assert.Empty(second);
        Assert.Equal(Count, (await Database.WriteAsync((session, _) => ListAsync(session, list), default)).Count);
    }

    [Theory]
    [InlineData("list_expired_leases")]
    [InlineData("list_exhausted_chunks")]
    public async Task Sweepers_at_the_same_moment_never_have_the_same_chunk(string list)
    {
        await PrepareAsync();
        const int Sweepers = 6;
        TaskCompletionSource allHave = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var have = 0;

        var taken = await Task.WhenAll(Enumerable.Range(0, Sweepers).Select(_ => Database.WriteAsync(
            async (session, token) =>
            {
                var mine = await ListAsync(session, list);
                if (Interlocked.Increment(ref have) == Sweepers)
                {
                    allHave.SetResult();
                }

                await allHave.Task.WaitAsync(Patience, token); // nobody ends before everybody has looked
                return mine;
            },
            default)));

        Assert.Equal(Count, taken.Sum(mine => mine.Count));
        Assert.Equal(Count, taken.SelectMany(mine => mine).Distinct().Count());
    }

    [Fact]
    public async Task A_lease_that_is_being_renewed_is_passed_over_without_waiting()
    {
        await PrepareAsync();
        var renewed = (await Database.WriteAsync((session, _) => ListAsync(session, "list_expired_leases"), default))[0];

        var (_, others) = await WhileHeldAsync(
            async session =>
            {
                Assert.Single(await session.Statement("renew_lease")
                    .Set("@job", renewed.Job.Value).Set("@chunk", renewed.ChunkNo).Set("@owner", "w").Set("@fence", 1).Set("@until", long.MaxValue)
                    .ListAsync(row => row.GetString(0), default));
                return renewed;
            },
            session => ListAsync(session, "list_expired_leases"));

        Assert.Equal(Count - 1, others.Count);
        Assert.DoesNotContain(renewed, others);
    }

    [Fact]
    public async Task Messages_that_seem_lost_are_repeated_by_one_sweeper_and_the_other_does_not_wait()
    {
        var job = await QueueJobAsync(items: Count, chunkItems: 1);
        await PublishAsync(await Dispatch.WaitingAsync(job, Count));
        Clock.Advance(TimeSpan.FromHours(1));

        var (first, second) = await WhileHeldAsync(UnpublishAsync, UnpublishAsync);

        Assert.Equal((Count, 0), (first, second));

        Task<int> UnpublishAsync(LedgerSession session) =>
            session.Statement("unpublish_open_chunks").Set("@before", Clock.GetUtcNow().ToUnixTimeMilliseconds()).ExecuteAsync(default);
    }

    /// <summary>Runs the second in a transaction of its own before that of the first ends.</summary>
    private async Task<(T1 First, T2 Second)> WhileHeldAsync<T1, T2>(Func<LedgerSession, Task<T1>> first, Func<LedgerSession, Task<T2>> second)
    {
        T2? secondResult = default;
        var firstResult = await Database.WriteAsync(
            async (session, token) =>
            {
                var result = await first(session);
                secondResult = await Database.WriteAsync((other, _) => second(other), default).WaitAsync(Patience, token);
                return result;
            },
            default);
        return (firstResult, secondResult!);
    }

    private Task<List<(JobId Job, int ChunkNo)>> ListAsync(LedgerSession session, string list) => session.Statement(list)
        .Set("@now", Clock.GetUtcNow().ToUnixTimeMilliseconds())
        .Set("@max", 1)
        .ListAsync(row => (new JobId(row.GetInt64(0)), row.GetInt32(1)), default);

    /// <summary>As many chunks with an expired lease, and as many that used up their attempts (here: one).</summary>
    private async Task PrepareAsync()
    {
        var leased = await QueueJobAsync(items: Count, chunkItems: 1);
        var exhausted = await QueueJobAsync(items: Count, chunkItems: 1);
        for (var chunk = 0; chunk < Count; chunk++)
        {
            await ClaimAsync(leased, chunk);
            await Leases.ReleaseAsync((await ClaimAsync(exhausted, chunk))!, countAttempt: true);
        }

        Clock.Advance(Options.Lease + TimeSpan.FromMilliseconds(1));
    }
}
