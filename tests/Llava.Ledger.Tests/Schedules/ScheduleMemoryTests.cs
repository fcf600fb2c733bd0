using Llava.Contracts;
using Llava.Contracts.States;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;
using Llava.Ledger.Schedules;

namespace Llava.Ledger.Tests.Schedules;

/// <summary>What is new to a schedule. The same on every database.</summary>
public abstract class ScheduleMemoryTests(TestDatabase database) : ScheduleFixture(database)
{
    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        await Schedules.AddAsync(Nightly() with { OnlyNew = true, Overlap = ScheduleOverlap.Queue });
    }

    [Fact]
    public async Task What_an_earlier_job_answered_is_known_and_the_rest_is_new()
    {
        var first = await RunAsync();
        Assert.Equal(["a", "b"], await NewAsync(first, "a", "b"));
        await ExpandAsync(first, "a", "b");
        await CompleteAsync(first);

        Assert.Equal(["c"], await NewAsync(await RunAsync(), "a", "b", "c"));
    }

    [Fact]
    public async Task What_a_job_is_taking_in_itself_stays_new_to_it()
    {
        var job = await RunAsync();
        await Expansion.AppendAsync(job, 0, [new([Keyed("a")], 100)], "a");

        Assert.Equal(["a", "b"], await NewAsync(job, "a", "b"));
    }

    [Fact]
    public async Task What_failed_or_was_refused_is_new_again()
    {
        var first = await RunAsync();
        await Expansion.AppendAsync(first, 0, [new([Keyed("good"), Keyed("bad"), Keyed("refused") with { Rejection = new("image_not_found", "It is gone.") }], 100)], "end");
        await Expansion.FinishAsync(first);
        var lease = (await ClaimAsync(first, 0))!;
        Assert.True(await Writer.CommitAsync(lease, [Answer(0), Failed(1)], completesChunk: true, "r1"));
        await EndAsync();

        Assert.Equal(["bad", "refused"], await NewAsync(await RunAsync(), "good", "bad", "refused"));
    }

    [Fact]
    public async Task Of_a_job_that_was_cancelled_halfway_only_what_it_answered_is_known()
    {
        var first = await RunAsync();
        await ExpandAsync(first, "answered", "unanswered");
        var lease = (await ClaimAsync(first, 0))!;
        Assert.True(await Writer.CommitAsync(lease, [Answer(0)], completesChunk: false, "r1"));
        var second = await RunAsync();
        Assert.Empty(await NewAsync(second, "answered", "unanswered")); // it is still being asked

        await Control.CancelAsync(first);
        await Leases.ReleaseAsync(lease, countAttempt: false);
        await EndAsync();

        Assert.Equal(JobState.Cancelled, (await Jobs.ReadAsync(first)).State);
        Assert.Equal(["unanswered"], await NewAsync(second, "answered", "unanswered"));
    }

    [Fact]
    public async Task What_was_asked_again_and_answered_is_known()
    {
        var first = await RunAsync();
        await ExpandAsync(first, "a");
        await Writer.CommitAsync((await ClaimAsync(first, 0))!, [Failed(0)], completesChunk: true, "r1");
        await EndAsync();
        var second = await RunAsync();
        await ExpandAsync(second, "a");
        await CompleteAsync(second);

        Assert.Empty(await NewAsync(await RunAsync(), "a"));
    }

    [Fact]
    public async Task Answers_stay_known_when_their_job_is_no_longer_kept()
    {
        var first = await RunAsync();
        await ExpandAsync(first, "answered", "failed");
        await Writer.CommitAsync((await ClaimAsync(first, 0))!, [Answer(0), Failed(1)], completesChunk: true, "r1");
        await EndAsync();
        Clock.Advance(TimeSpan.FromDays(40));

        Assert.Equal(1, await Get<JobRetention>().DeleteAsync(TimeSpan.FromDays(30)));

        Assert.Null(await Jobs.FindAsync(first));
        Assert.Equal(["failed"], await NewAsync(await RunAsync(), "answered", "failed"));
    }

    [Fact]
    public async Task Schedules_do_not_know_of_each_other()
    {
        var first = await RunAsync();
        await ExpandAsync(first, "a");
        await CompleteAsync(first);
        await Schedules.AddAsync(Nightly("other") with { OnlyNew = true });

        Assert.Equal(["a"], await NewAsync((await Firing.RunAsync(Tenant, "other")).Job!.Value, "a"));
    }

    [Fact]
    public async Task A_job_that_finds_nothing_new_completes_without_items()
    {
        var job = await RunAsync();
        await ExpandAsync(job);

        await EndAsync();

        var ended = await Jobs.ReadAsync(job);
        Assert.Equal((JobState.Completed, 0, 0), (ended.State, ended.ItemCount, ended.FinalProgress!.Total));
    }

    [Fact]
    public async Task Thousands_of_keys_are_noted_and_looked_up_in_one_go()
    {
        const int Items = 5_000;
        var names = Enumerable.Range(0, Items).Select(i => $"item-{i}").ToArray();
        var first = await RunAsync();
        await ExpandAsync(first, names);
        await CompleteAsync(first);

        Assert.Equal(["new"], await NewAsync(await RunAsync(), [.. names, "new"]));
    }

    private async Task<JobId> RunAsync()
    {
        Clock.Advance(TimeSpan.FromSeconds(1)); // a run by hand is known by its moment
        return (await Firing.RunAsync(Tenant, Name)).Job!.Value;
    }

    private static FinishedItem Failed(int item) => FinishedItem.Failed(item, new("image_broken", "It cannot be decoded."));
}

public sealed class SqliteScheduleMemoryTests() : ScheduleMemoryTests(new SqliteFile());

public sealed class PostgresScheduleMemoryTests() : ScheduleMemoryTests(new PostgresTestDatabase());
