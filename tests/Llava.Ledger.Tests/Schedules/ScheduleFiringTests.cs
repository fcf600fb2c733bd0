using Llava.Contracts.States;
using Llava.Ledger.Schedules;
using Microsoft.Extensions.DependencyInjection;

namespace Llava.Ledger.Tests.Schedules;

/// <summary>Fires and the jobs they make. The same on every database.</summary>
public abstract class ScheduleFiringTests(TestDatabase database) : ScheduleFixture(database)
{
    [Fact]
    public async Task A_fire_makes_a_job_of_the_request_under_a_key_of_its_own_and_is_noted()
    {
        var schedule = await Schedules.AddAsync(Nightly());
        MoveTo("2026-03-02T01:30:07Z");

        var fire = await Firing.SubmitDueAsync(schedule.Id);

        var job = await Jobs.ReadAsync(fire.Job!.Value);
        Assert.Equal(JobState.Validating, job.State);
        Assert.Equal("Describe.", job.Request.Prompt);
        Assert.Equal($"schedule:{schedule.Id}:2026-03-02T01:30:00.000Z", job.Request.IdempotencyKey);
        var noted = await Schedules.ReadAsync(Tenant, Name);
        Assert.Equal((job.Id, Clock.GetUtcNow(), null), (noted.LastJob!.Value, noted.LastRunAt!.Value, noted.LastError));
        Assert.Equal([job.Id], await Schedules.JobsAsync(schedule.Id));
    }

    [Fact]
    public async Task A_fire_that_several_processes_run_again_and_again_makes_one_job()
    {
        var schedule = await Schedules.AddAsync(Nightly() with { Overlap = ScheduleOverlap.Queue });
        await using var other = Open();
        MoveTo("2026-03-02T01:30:00Z");

        var fires = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => (i % 2 == 0 ? Firing : other.GetRequiredService<ScheduleFiring>()).SubmitDueAsync(schedule.Id)));

        Assert.Single(fires, fire => fire.Outcome == ScheduleOutcome.Submitted);
        Assert.Single(await Jobs.ListAsync(new()));
    }

    [Fact]
    public async Task A_fire_that_comes_early_makes_no_job()
    {
        var schedule = await Schedules.AddAsync(Nightly());
        MoveTo("2026-03-02T01:29:59Z");

        Assert.Equal(ScheduleOutcome.NotDue, (await Firing.SubmitDueAsync(schedule.Id)).Outcome);
        Assert.Empty(await Jobs.ListAsync(new()));
    }

    [Fact]
    public async Task Fires_that_were_missed_while_everything_was_down_are_made_up_for_by_one()
    {
        var schedule = await Schedules.AddAsync(Nightly() with { Overlap = ScheduleOverlap.Queue });
        MoveTo("2026-03-12T09:00:00Z");
        await RestartAsync();

        var fires = new[] { await Firing.SubmitDueAsync(schedule.Id), await Firing.SubmitDueAsync(schedule.Id) };

        Assert.Equal([ScheduleOutcome.Submitted, ScheduleOutcome.NotDue], fires.Select(fire => fire.Outcome));
        Assert.EndsWith("2026-03-12T01:30:00.000Z", (await Jobs.ReadAsync(fires[0].Job!.Value)).Request.IdempotencyKey, StringComparison.Ordinal);
        MoveTo("2026-03-13T01:30:00Z");
        Assert.Equal(ScheduleOutcome.Submitted, (await Firing.SubmitDueAsync(schedule.Id)).Outcome);
    }

    [Theory]
    [InlineData("2026-03-28T12:00:00Z", "2026-03-29T01:00:00.000Z")] // the clocks skip 02:30
    [InlineData("2026-10-24T12:00:00Z", "2026-10-25T00:30:00.000Z")] // 02:30 comes twice
    public async Task On_the_days_when_the_clocks_change_there_is_one_job(string before, string fire)
    {
        MoveTo(before);
        var schedule = await Schedules.AddAsync(Nightly() with { Overlap = ScheduleOverlap.Queue });
        for (var minutes = 0; minutes < 24 * 60; minutes += 5)
        {
            Clock.Advance(TimeSpan.FromMinutes(5));
            await Firing.SubmitDueAsync(schedule.Id);
        }

        Assert.EndsWith(fire, Assert.Single(await Jobs.ListAsync(new())).Request.IdempotencyKey, StringComparison.Ordinal);
    }

    [Fact]
    public async Task While_the_job_before_is_not_over_a_fire_is_left_out_and_noted()
    {
        var schedule = await Schedules.AddAsync(Nightly());
        MoveTo("2026-03-02T01:30:00Z");
        var job = (await Firing.SubmitDueAsync(schedule.Id)).Job!.Value;
        MoveTo("2026-03-03T01:30:00Z");

        var left = await Firing.SubmitDueAsync(schedule.Id);

        Assert.Equal((ScheduleOutcome.Skipped, job), (left.Outcome, left.Job!.Value));
        Assert.Single(await Jobs.ListAsync(new()));
        var noted = await Schedules.ReadAsync(Tenant, Name);
        Assert.Equal((job, Clock.GetUtcNow()), (noted.LastJob!.Value, noted.LastRunAt!.Value));
        Assert.Contains($"'{job}', is validating", noted.LastError, StringComparison.Ordinal);
        await Control.CancelAsync(job);
        await EndAsync();
        Assert.Equal(ScheduleOutcome.NotDue, (await Firing.SubmitDueAsync(schedule.Id)).Outcome);
        MoveTo("2026-03-04T01:30:00Z");
        Assert.Equal(ScheduleOutcome.Submitted, (await Firing.SubmitDueAsync(schedule.Id)).Outcome);
        Assert.Null((await Schedules.ReadAsync(Tenant, Name)).LastError);
    }

    [Fact]
    public async Task A_schedule_may_have_its_jobs_wait_for_each_other()
    {
        var schedule = await Schedules.AddAsync(Nightly() with { Overlap = ScheduleOverlap.Queue });
        MoveTo("2026-03-02T01:30:00Z");
        await Firing.SubmitDueAsync(schedule.Id);
        MoveTo("2026-03-03T01:30:00Z");

        Assert.Equal(ScheduleOutcome.Submitted, (await Firing.SubmitDueAsync(schedule.Id)).Outcome);
    }

    [Fact]
    public async Task A_run_by_hand_works_at_any_time_also_while_paused_and_takes_no_fire_away()
    {
        var schedule = await Schedules.AddAsync(Nightly() with { Overlap = ScheduleOverlap.Queue });
        await Schedules.PauseAsync(Tenant, Name);
        Assert.Equal(ScheduleOutcome.Submitted, (await Firing.RunAsync(Tenant, Name)).Outcome);
        await Schedules.ResumeAsync(Tenant, Name);
        MoveTo("2026-03-02T01:30:01Z");

        var byHand = await Firing.RunAsync(Tenant, Name);
        var due = await Firing.SubmitDueAsync(schedule.Id);

        Assert.Equal([ScheduleOutcome.Submitted, ScheduleOutcome.Submitted], [byHand.Outcome, due.Outcome]);
        Assert.Equal(3, (await Jobs.ListAsync(new())).Count);
        await Assert.ThrowsAsync<ScheduleNotFoundException>(() => Firing.RunAsync(Tenant, "other"));
    }
}

public sealed class SqliteScheduleFiringTests() : ScheduleFiringTests(new SqliteFile());

public sealed class PostgresScheduleFiringTests() : ScheduleFiringTests(new PostgresTestDatabase());
