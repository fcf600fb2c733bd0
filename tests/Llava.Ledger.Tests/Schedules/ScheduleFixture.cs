using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Ledger.Expansion;
using Llava.Ledger.Schedules;

namespace Llava.Ledger.Tests.Schedules;

/// <summary>A ledger with schedules.</summary>
public abstract class ScheduleFixture(TestDatabase database) : LedgerFixture(database)
{
    protected const string Name = "nightly";
    protected const string Tenant = "default";

    protected ScheduleStore Schedules => Get<ScheduleStore>();

    protected ScheduleFiring Firing => Get<ScheduleFiring>();

    protected ScheduleMemory Memory => Get<ScheduleMemory>();

    /// <summary>Every night at half past two in Berlin.</summary>
    protected static ScheduleDefinition Nightly(string name = Name) =>
        new() { Name = name, Kind = ScheduleKind.Annotate, Cron = "30 2 * * *", TimeZone = "Europe/Berlin", Request = Request() };

    protected void MoveTo(string time) => Clock.SetUtcNow(DateTimeOffset.Parse(time, System.Globalization.CultureInfo.InvariantCulture));

    /// <summary>Takes items in under these keys, by their names, and queues the job.</summary>
    protected async Task ExpandAsync(JobId job, params string[] items)
    {
        if (items.Length > 0)
        {
            Assert.True(await Expansion.AppendAsync(job, 0, [new([.. items.Select(Keyed)], 100)], "end"));
        }

        Assert.True(await Expansion.FinishAsync(job));
    }

    protected static long KeyOf(string item) => item.Aggregate(7L, (key, letter) => (key * 31) + letter);

    protected static ExpandedItem Keyed(string item) => new(new(item, [$"{item}.jpg"])) { Key = KeyOf(item) };

    /// <summary>Of these items, those that are new to the job's schedule.</summary>
    protected async Task<IEnumerable<string>> NewAsync(JobId job, params string[] items)
    {
        var known = await Memory.KnownAsync(job, [.. items.Select(KeyOf)]);
        return items.Where(item => !known.Contains(KeyOf(item)));
    }

    /// <summary>Answers the job's chunk and brings the job to its end.</summary>
    protected async Task CompleteAsync(JobId job)
    {
        Assert.True(await AnswerAsync((await ClaimAsync(job, 0))!));
        await EndAsync();
    }

    protected async Task EndAsync()
    {
        await Ending.AdvanceAsync();
        foreach (var ended in await Ending.UnannouncedAsync())
        {
            await Ending.AnnounceAsync(ended, _ => Task.CompletedTask);
        }
    }
}
