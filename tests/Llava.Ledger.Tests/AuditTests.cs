using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using Llava.Contracts;
using Llava.Ledger.Audit;
using Llava.Ledger.Batches;
using Llava.Ledger.Keys;
using Llava.Ledger.Schedules;
using Llava.Ledger.Training;
using Llava.Ledger.Webhooks;
using Microsoft.Extensions.DependencyInjection;

namespace Llava.Ledger.Tests;

/// <summary>Who did what when. The same on every database.</summary>
public abstract class AuditTests(TestDatabase database) : LedgerFixture(database)
{
    private AuditLog Log => Get<AuditLog>();

    [Fact]
    public async Task What_is_done_to_a_job_is_told_once_with_who_did_it()
    {
        new Actor("key:k1", "req_1").Act();
        var job = await QueueJobAsync(4);
        await Control.PauseAsync(job);
        await Control.PauseAsync(job);
        await Control.ResumeAsync(job);
        await Control.ResumeAsync(job);
        await Control.CancelAsync(job);
        await Control.CancelAsync(job);

        var lines = await Log.ListAsync(new());

        Assert.Equal(["job.cancelled", "job.resumed", "job.paused", "job.submitted"], lines.Select(line => line.Action));
        Assert.All(lines, line => Assert.Equal(("key:k1", "req_1", "default", job.ToString()), (line.Actor, line.RequestId, line.Tenant, line.Target)));
        Assert.Contains("\"source\":\"images\"", lines[^1].Details, StringComparison.Ordinal);
        Assert.Equal([4L, 3, 2, 1], lines.Select(line => line.Number));
    }

    [Fact]
    public async Task What_failed_is_not_told_of()
    {
        await Assert.ThrowsAsync<JobNotFoundException>(() => Control.CancelAsync(JobId.New(Clock.GetUtcNow())));
        await Assert.ThrowsAsync<InvalidOperationException>(() => Database.WriteAsync<bool>(async (session, token) =>
        {
            await AuditChain.AppendAsync(session, Clock.GetUtcNow(), AuditActions.FileDeleted, "default", "file-1", null, token);
            throw new InvalidOperationException("rolled back");
        }, default));

        Assert.Empty(await Log.ListAsync(new()));
    }

    [Fact]
    public async Task Keys_and_sign_ins_are_told_without_their_secrets()
    {
        var (key, secret) = await Get<ApiKeys>().CreateAsync("nightly", "archive", AccessRole.Operator);
        var signIn = await Get<SignIns>().BeginAsync(key, key.Tenant, TimeSpan.FromHours(1));
        await Get<SignIns>().EndAsync(signIn, key.Tenant);
        await Get<SignIns>().EndAsync(signIn, key.Tenant);
        await Get<ApiKeys>().RevokeAsync(key.Id);
        await Get<ApiKeys>().RevokeAsync(key.Id);

        var lines = await Log.ListAsync(new());

        Assert.Equal(["key.revoked", "session.signed_out", "session.signed_in", "key.created"], lines.Select(line => line.Action));
        Assert.All(lines, line => Assert.DoesNotContain(secret[17..], line.ToString(), StringComparison.Ordinal));
        Assert.All(lines, line => Assert.DoesNotContain(signIn, line.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_schedules_job_is_the_schedules_own_doing_and_one_asked_for_by_hand_is_not()
    {
        new Actor("terminal:ada").Act();
        var schedule = await Get<ScheduleStore>().AddAsync(new() { Name = "nightly", Kind = ScheduleKind.Annotate, Cron = "0 2 * * *", Request = Request(), Overlap = ScheduleOverlap.Queue });
        Clock.Advance(TimeSpan.FromDays(1));
        await Get<ScheduleFiring>().SubmitDueAsync(schedule.Id);
        await Get<ScheduleFiring>().RunAsync("default", "nightly");
        await Get<ScheduleStore>().PauseAsync("default", "nightly");
        await Get<ScheduleStore>().DeleteAsync("default", "nightly");

        var lines = await Log.ListAsync(new());

        Assert.Equal(
            [
                ("terminal:ada", "schedule.removed"), ("terminal:ada", "schedule.paused"), ("terminal:ada", "schedule.run"), ("terminal:ada", "job.submitted"),
                ("schedule:nightly", "job.submitted"), ("terminal:ada", "schedule.added"),
            ],
            lines.Select(line => (line.Actor, line.Action)));
        Assert.Contains("job_", lines[0].Details, StringComparison.Ordinal); // the job that had not begun went with it
    }

    [Fact]
    public async Task What_is_done_to_a_training_run_is_told_once_each()
    {
        var runs = Get<TrainingRuns>();
        var run = (await runs.CreateAsync(new() { Model = "scenes", TrainingFile = "file-1", Tenant = "archive" })).Id;
        await runs.PauseAsync(run);
        await Assert.ThrowsAsync<TrainingRunTransitionException>(() => runs.PauseAsync(run));
        await runs.ResumeAsync(run);
        await runs.CancelAsync(run);
        await Assert.ThrowsAsync<TrainingRunNotFoundException>(() => runs.CancelAsync(run, "other"));

        var lines = await Log.ListAsync(new());

        Assert.Equal(["training.cancelled", "training.resumed", "training.paused", "training.created"], lines.Select(line => line.Action));
        Assert.All(lines, line => Assert.Equal(("archive", run), (line.Tenant, line.Target)));
        Assert.Contains("\"file\":\"file-1\"", lines[^1].Details, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_trained_model_that_is_deleted_is_told_of_once_and_under_its_owner()
    {
        var (runs, leases) = (Get<TrainingRuns>(), Get<TrainingLeases>());
        var run = await runs.CreateAsync(new() { Model = "scenes", TrainingFile = "file-1", Tenant = "archive" });
        Assert.True(await leases.QueueAsync((await leases.ClaimAsync(TrainingPhase.Validate, "w"))!.Lease, new(), 1, []));
        Assert.True(await leases.SucceedAsync((await leases.ClaimAsync(TrainingPhase.Train, "w"))!.Lease, "file-2"));

        Assert.False(await runs.DeleteModelAsync(run.Model, "other"));
        Assert.True(await runs.DeleteModelAsync(run.Model, null));
        Assert.False(await runs.DeleteModelAsync(run.Model, null));

        var line = Assert.Single(await Log.ListAsync(new() { Action = "model." }));
        Assert.Equal(("model.deleted", "archive", run.Model), (line.Action, line.Tenant, line.Target));
        Assert.Contains(run.Id, line.Details, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_batch_is_told_of_as_the_job_that_it_is()
    {
        var batches = Get<BatchStore>();
        var batch = await batches.CreateAsync(new("file-1", "/v1/chat/completions", "24h"), Request());
        await batches.CancelAsync(batch);
        await batches.CancelAsync(batch);
        await Control.CancelAsync(batch.Job);

        var lines = await Log.ListAsync(new());

        Assert.Equal([("job.cancelled", batch.Job.ToString()), ("job.submitted", batch.Job.ToString())], lines.Select(line => (line.Action, line.Target)));
        Assert.Contains(batch.Id, lines[0].Details, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Webhooks_are_told_of_without_what_is_secret_about_them()
    {
        var webhooks = Get<WebhookStore>();
        var webhook = await webhooks.CreateAsync("archive", "https://example.org/hooks/hidden?token=hidden", []);
        var rotated = await webhooks.RotateAsync(webhook, TimeSpan.FromHours(1));
        await webhooks.TestAsync(rotated);
        await webhooks.DeleteAsync(rotated);
        await webhooks.DeleteAsync(rotated);
        await webhooks.RotateAsync(rotated, TimeSpan.FromHours(1));

        var lines = await Log.ListAsync(new());

        Assert.Equal(["webhook.deleted", "webhook.rotated", "webhook.created"], lines.Select(line => line.Action));
        Assert.All(lines, line => Assert.Equal(("archive", webhook.Id), (line.Tenant, line.Target)));
        Assert.All(lines, line => Assert.Contains("example.org", line.Details, StringComparison.Ordinal));
        Assert.All(lines, line => Assert.DoesNotContain("hidden", line.Details, StringComparison.Ordinal));
        Assert.All(lines, line => Assert.DoesNotContain("whsec_", line.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task Lines_are_found_by_who_what_and_which_and_a_page_at_a_time()
    {
        foreach (var (actor, action, target) in ((string, string, string)[])[("key:a", "job.paused", "job_1"), ("key:ab", "job.resumed", "job_1"), ("terminal:a", "file.deleted", "file-%")])
        {
            new Actor(actor).Act();
            await Log.AppendAsync(action, "t", target);
        }

        Assert.Equal(2, (await Log.ListAsync(new() { Actor = "key:a" })).Count);
        Assert.Equal(2, (await Log.ListAsync(new() { Action = "job." })).Count);
        Assert.Equal("file.deleted", Assert.Single(await Log.ListAsync(new() { Target = "file-%" })).Action);
        Assert.Empty(await Log.ListAsync(new() { Target = "%" }));
        Assert.Empty(await Log.ListAsync(new() { Tenant = "other" }));
        Assert.Equal(1, Assert.Single(await Log.ListAsync(new() { Before = 2 })).Number);
    }

    [Fact]
    public async Task Many_that_write_at_once_make_one_chain()
    {
        await using var other = Open();
        await Task.WhenAll(Enumerable.Range(0, 40).Select(line => (line % 2 == 0 ? Log : other.GetRequiredService<AuditLog>()).AppendAsync("job.paused", "t", $"job_{line}")));

        var verdict = await Log.VerifyAsync();

        Assert.Equal((40, true), (verdict.Count, verdict.IsWhole));
    }

    [Theory]
    [InlineData("update audit set actor = 'nobody' where number = 2")]
    [InlineData("delete from audit where number = 2")]
    [InlineData("delete from audit")]
    public async Task The_database_refuses_to_change_a_line(string statement)
    {
        await WriteLinesAsync(3);

        await Assert.ThrowsAnyAsync<DbException>(() => RunAsync(statement));

        Assert.Equal((3, true), ((await Log.VerifyAsync()).Count, (await Log.VerifyAsync()).IsWhole));
    }

    [Theory]
    [InlineData("update audit set actor = 'nobody' where number = 2", 1, "Line 2 is not what was written")]
    [InlineData("update audit set details = null where number = 2", 1, "Line 2 is not what was written")]
    [InlineData("update audit set at = at + 1 where number = 3", 2, "Line 3 is not what was written")]
    [InlineData("delete from audit where number = 1", 0, "Line 1 is missing")]
    [InlineData("delete from audit where number = 2", 1, "Line 2 is missing")]
    [InlineData("update audit set hash = (select hash from audit where number = 1) where number = 3", 2, "Line 3 is not what was written")]
    public async Task The_check_finds_what_was_changed_by_somebody_who_may_do_anything(string statement, int holds, string fault)
    {
        await WriteLinesAsync(4);
        await UnprotectAsync();
        await RunAsync(statement);

        var verdict = await Log.VerifyAsync();

        Assert.Equal(holds, verdict.Count);
        Assert.StartsWith(fault, verdict.Fault, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lines_cut_off_at_the_end_are_missed_where_the_head_was_noted()
    {
        await WriteLinesAsync(4);
        var head = (await Log.VerifyAsync()).Head;
        await WriteLinesAsync(1);
        Assert.True((await Log.VerifyAsync(head)).IsWhole);
        await UnprotectAsync();
        await RunAsync("delete from audit where number > 3");

        Assert.True((await Log.VerifyAsync()).IsWhole);
        Assert.False((await Log.VerifyAsync(head)).IsWhole);
    }

    /// <summary>Takes away what keeps lines from being changed.</summary>
    protected abstract Task UnprotectAsync();

    [SuppressMessage("Security", "CA2100", Justification = "The test's own text.")]
    protected Task<int> RunAsync(string statement) => Database.WriteAsync(async (session, token) =>
    {
        await using var command = session.Connection.CreateCommand();
        command.CommandText = statement;
        command.Transaction = session.Transaction;
        return await command.ExecuteNonQueryAsync(token);
    }, default);

    private async Task WriteLinesAsync(int count)
    {
        for (var line = 0; line < count; line++)
        {
            await Log.AppendAsync(AuditActions.JobPaused, "t", $"job_{line}", new() { ["line"] = line });
        }
    }
}

public sealed class SqliteAuditTests() : AuditTests(new SqliteFile())
{
    protected override async Task UnprotectAsync()
    {
        await RunAsync("drop trigger audit_is_not_changed");
        await RunAsync("drop trigger audit_is_not_deleted");
    }
}

public sealed class PostgresAuditTests() : AuditTests(new PostgresTestDatabase())
{
    protected override Task UnprotectAsync() => RunAsync("drop trigger audit_is_not_changed on audit");

    [Fact]
    public async Task The_log_cannot_be_emptied_either() => await Assert.ThrowsAnyAsync<DbException>(() => RunAsync("truncate audit"));
}
