using Llava.Contracts;
using Llava.Ledger.Jobs;
using Microsoft.Extensions.DependencyInjection;

namespace Llava.Ledger.Tests;

/// <summary>How far running jobs are, said now and then. The same on every database.</summary>
public abstract class JobReportTests(TestDatabase database) : LedgerFixture(database)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(10);

    private readonly List<(JobId Job, long Done)> _published = [];

    [Fact]
    public async Task A_running_job_is_reported_when_more_is_done_and_never_sooner_than_said()
    {
        var job = await QueueJobAsync(items: 12);
        var lease = (await ClaimAsync(job, 0))!;
        Assert.Equal(0, await ReportAsync());

        await AnswerAsync(lease);
        Clock.Advance(Every - TimeSpan.FromMilliseconds(1));
        Assert.Equal(0, await ReportAsync());
        Clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(1, await ReportAsync());
        Clock.Advance(Every);
        Assert.Equal(0, await ReportAsync());

        await AnswerAsync((await ClaimAsync(job, 1))!);
        Clock.Advance(Every);
        Assert.Equal(1, await ReportAsync());
        Assert.Equal([(job, 4), (job, 8)], _published);
    }

    [Fact]
    public async Task Of_processes_that_look_at_the_same_moment_one_reports_each_job()
    {
        List<JobId> jobs = [];
        for (var i = 0; i < 8; i++)
        {
            jobs.Add(await QueueJobAsync(items: 8));
            await AnswerAsync((await ClaimAsync(jobs[i], 0))!);
        }

        await using var other = Open();
        JobReports[] processes = [Get<JobReports>(), other.GetRequiredService<JobReports>()];

        var counts = await Task.WhenAll(Enumerable.Range(0, 6).Select(looker => Task.Run(() => ReportAsync(processes[looker % 2]))));

        Assert.Equal(jobs.Count, counts.Sum());
        Assert.Equal(jobs.Order().Select(job => (job, 4L)), _published.Order());
    }

    [Fact]
    public async Task Only_jobs_that_run_are_reported()
    {
        var paused = await QueueJobAsync(items: 8);
        var completed = await QueueJobAsync(items: 4);
        await AnswerAsync((await ClaimAsync(paused, 0))!);
        await AnswerAsync((await ClaimAsync(completed, 0))!);
        await Control.PauseAsync(paused);
        await Ending.AdvanceAsync();

        Assert.Equal(0, await ReportAsync());
    }

    [Fact]
    public async Task What_could_not_be_published_is_reported_by_the_next_look()
    {
        var job = await QueueJobAsync(items: 8);
        await AnswerAsync((await ClaimAsync(job, 0))!);

        await Assert.ThrowsAsync<IOException>(() => Get<JobReports>().ReportAsync(Every, (_, _, _) => throw new IOException("The broker is away.")));
        Assert.Equal(0, await ReportAsync());
        Clock.Advance(Every);

        Assert.Equal(1, await ReportAsync());
    }

    private Task<int> ReportAsync(JobReports? process = null) => (process ?? Get<JobReports>()).ReportAsync(Every, (job, progress, _) =>
    {
        lock (_published)
        {
            _published.Add((job.Id, progress.Done));
        }

        return Task.CompletedTask;
    });
}

public sealed class SqliteJobReportTests() : JobReportTests(new SqliteFile());

public sealed class PostgresJobReportTests() : JobReportTests(new PostgresTestDatabase());
