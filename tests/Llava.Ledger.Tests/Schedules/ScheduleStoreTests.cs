using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Ledger.Schedules;
using Llava.Ledger.Signals;

namespace Llava.Ledger.Tests.Schedules;

/// <summary>Keeping schedules. The same on every database.</summary>
public abstract class ScheduleStoreTests(TestDatabase database) : ScheduleFixture(database)
{
    [Fact]
    public async Task A_schedule_is_found_as_it_was_asked_for()
    {
        var definition = Nightly() with { OnlyNew = true, Overlap = ScheduleOverlap.Queue, Request = Request() with { Prompt = "What?", Priority = 3 } };
        var added = await Schedules.AddAsync(definition);
        await RestartAsync();

        var found = await Schedules.ReadAsync(Tenant, Name);

        Assert.Equal(added.Id, found.Id);
        Assert.Equal(definition with { Request = found.Definition.Request }, found.Definition);
        Assert.Equal(RequestJson.Write(definition.Request!), RequestJson.Write(found.Definition.Request!));
        Assert.True(found.IsEnabled);
        Assert.Equal((Clock.GetUtcNow(), Clock.GetUtcNow()), (found.CreatedAt, found.UpdatedAt));
        Assert.Equal((null, null, null), (found.LastRunAt, found.LastJob, found.LastError));
    }

    [Fact]
    public async Task A_schedule_that_breaks_rules_is_not_kept_and_every_finding_is_named()
    {
        var wrong = Nightly("two words") with { Kind = ScheduleKind.Vqa, Cron = "0 0 31 2 *", TimeZone = "Berlin", Request = Request() with { Model = "", IdempotencyKey = "k", Open = true } };

        var refused = await Assert.ThrowsAsync<InvalidScheduleException>(() => Schedules.AddAsync(wrong));

        Assert.Equal(
            ["name", "request.source.kind", "request.idempotency_key", "request.open", "time_zone", "cron", "request.model"],
            refused.Findings.Select(finding => finding.Field));
        Assert.Empty(await Schedules.ListAsync());
    }

    [Fact]
    public async Task A_name_is_one_of_a_kind_in_its_tenant_only()
    {
        await Schedules.AddAsync(Nightly());
        await Schedules.AddAsync(Nightly() with { Request = Request() with { Tenant = "other" } });

        await Assert.ThrowsAsync<ScheduleExistsException>(() => Schedules.AddAsync(Nightly()));
        Assert.Single(await Schedules.ListAsync(Tenant));
        Assert.Equal(2, (await Schedules.ListAsync()).Count);
        await Assert.ThrowsAsync<ScheduleNotFoundException>(() => Schedules.ReadAsync("third", Name));
    }

    [Fact]
    public async Task Schedules_are_listed_by_name()
    {
        await Schedules.AddAsync(Nightly("b"));
        await Schedules.AddAsync(Nightly("a"));

        Assert.Equal(["a", "b"], (await Schedules.ListAsync(Tenant)).Select(schedule => schedule.Definition.Name));
    }

    [Fact]
    public async Task A_replaced_schedule_keeps_its_identity_and_forgets_what_it_missed()
    {
        var added = await Schedules.AddAsync(Nightly());
        Clock.Advance(TimeSpan.FromDays(2));

        var replaced = await Schedules.ReplaceAsync(Nightly() with { Cron = "0 4 * * *" });

        Assert.Equal((added.Id, "0 4 * * *"), (replaced.Id, replaced.Definition.Cron));
        Assert.Equal((added.CreatedAt, Clock.GetUtcNow()), (replaced.CreatedAt, replaced.UpdatedAt));
        Assert.Equal(ScheduleOutcome.NotDue, (await Firing.SubmitDueAsync(added.Id)).Outcome);
        await Assert.ThrowsAsync<ScheduleNotFoundException>(() => Schedules.ReplaceAsync(Nightly("other")));
        await Assert.ThrowsAsync<InvalidScheduleException>(() => Schedules.ReplaceAsync(Nightly() with { Cron = "" }));
    }

    [Fact]
    public async Task A_paused_schedule_does_not_fire_and_makes_up_for_nothing_when_resumed()
    {
        var schedule = await Schedules.AddAsync(Nightly());
        Assert.False((await Schedules.PauseAsync(Tenant, Name)).IsEnabled);
        Clock.Advance(TimeSpan.FromDays(2));
        Assert.Equal(ScheduleOutcome.NotDue, (await Firing.SubmitDueAsync(schedule.Id)).Outcome);

        Assert.True((await Schedules.ResumeAsync(Tenant, Name)).IsEnabled);

        Assert.Equal(ScheduleOutcome.NotDue, (await Firing.SubmitDueAsync(schedule.Id)).Outcome);
        Clock.Advance(TimeSpan.FromDays(1));
        Assert.Equal(ScheduleOutcome.Submitted, (await Firing.SubmitDueAsync(schedule.Id)).Outcome);
    }

    [Fact]
    public async Task Resuming_what_is_not_paused_does_not_forget_a_fire_that_is_due()
    {
        var schedule = await Schedules.AddAsync(Nightly());
        Clock.Advance(TimeSpan.FromDays(1));

        await Schedules.ResumeAsync(Tenant, Name);

        Assert.Equal(ScheduleOutcome.Submitted, (await Firing.SubmitDueAsync(schedule.Id)).Outcome);
    }

    [Fact]
    public async Task A_removed_schedule_leaves_its_jobs_and_nothing_else()
    {
        var schedule = await Schedules.AddAsync(Nightly() with { OnlyNew = true });
        var job = (await Firing.RunAsync(Tenant, Name)).Job!.Value;
        await ExpandAsync(job, "a");
        Assert.Equal(new ScheduleOrigin(schedule.Id, true), await Memory.OriginAsync(job));

        await Schedules.DeleteAsync(Tenant, Name);

        Assert.Empty(await Schedules.ListAsync());
        Assert.Null(await Memory.OriginAsync(job));
        Assert.NotNull(await Jobs.FindAsync(job));
        Assert.Equal(ScheduleOutcome.Removed, (await Firing.SubmitDueAsync(schedule.Id)).Outcome);
        await Assert.ThrowsAsync<ScheduleNotFoundException>(() => Schedules.DeleteAsync(Tenant, Name));
        await Schedules.AddAsync(Nightly() with { OnlyNew = true });
        var anew = (await Firing.RunAsync(Tenant, Name)).Job!.Value;
        Assert.Equal(["a"], await NewAsync(anew, "a"));
    }

    [Fact]
    public async Task A_job_that_has_not_read_its_source_is_cancelled_with_its_schedule()
    {
        await Schedules.AddAsync(Nightly() with { OnlyNew = true, Overlap = ScheduleOverlap.Queue });
        var read = (await Firing.RunAsync(Tenant, Name)).Job!.Value;
        await ExpandAsync(read, "a");
        Clock.Advance(TimeSpan.FromSeconds(1));
        var unread = (await Firing.RunAsync(Tenant, Name)).Job!.Value;

        Assert.Equal([unread], await Schedules.DeleteAsync(Tenant, Name));

        Assert.False(await Expansion.AppendAsync(unread, 0, [new([Keyed("a")], 100)], "end"));
        await EndAsync();
        Assert.Equal((JobState.Cancelled, JobState.Queued), ((await Jobs.ReadAsync(unread)).State, (await Jobs.ReadAsync(read)).State));
    }

    [Fact]
    public async Task Every_change_rings()
    {
        using var listener = Get<ILedgerSignal>().Listen(LedgerTopic.ScheduleChanged);
        await RangAsync(() => Schedules.AddAsync(Nightly()));
        await RangAsync(() => Schedules.ReplaceAsync(Nightly()));
        await RangAsync(() => Schedules.PauseAsync(Tenant, Name));
        await RangAsync(() => Schedules.ResumeAsync(Tenant, Name));
        await RangAsync(() => Schedules.DeleteAsync(Tenant, Name));

        async Task RangAsync(Func<Task> change)
        {
            await change();
            await listener.WaitAsync(Timeout.InfiniteTimeSpan, default).WaitAsync(TimeSpan.FromSeconds(30));
        }
    }
}

public sealed class SqliteScheduleStoreTests() : ScheduleStoreTests(new SqliteFile());

public sealed class PostgresScheduleStoreTests() : ScheduleStoreTests(new PostgresTestDatabase());
