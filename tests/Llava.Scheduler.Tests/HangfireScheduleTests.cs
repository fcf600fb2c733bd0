using System.Diagnostics;
using Hangfire;
using Hangfire.Common;
using Hangfire.InMemory;
using Hangfire.Storage;
using Llava.Contracts.Requests;
using Llava.Ledger;
using Llava.Ledger.Jobs;
using Llava.Ledger.Schedules;
using Llava.Scheduler.Recurring;
using Llava.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;

namespace Llava.Scheduler.Tests;

/// <summary>Hangfire follows the ledger's schedules.</summary>
public sealed class HangfireScheduleTests : IDisposable
{
    private const string Tenant = "default";
    private const string Name = "nightly";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("llava-schedules-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_change_of_a_schedule_is_a_change_of_its_recurring_task()
    {
        await using var process = Open(Path.Combine(_folder.FullName, "ledger.db"));
        var schedules = process.GetRequiredService<ScheduleStore>();
        await StartAsync(process);

        var schedule = await schedules.AddAsync(Nightly());
        var task = (await WaitForAsync(process, task => task is not null))!;
        Assert.Equal((ScheduleTask.IdOf(schedule.Id), "30 2 * * *", "Europe/Berlin"), (task.Id, task.Cron, task.TimeZoneId));
        Assert.Equal(schedule.Cadence.Next(DateTimeOffset.UtcNow), new DateTimeOffset(task.NextExecution!.Value, TimeSpan.Zero));

        await schedules.ReplaceAsync(Nightly() with { Cron = "0 4 * * *", TimeZone = "UTC" });
        await WaitForAsync(process, changed => (changed?.Cron, changed?.TimeZoneId) == ("0 4 * * *", "UTC"));
        await schedules.PauseAsync(Tenant, Name);
        await WaitForAsync(process, gone => gone is null);
        await schedules.ResumeAsync(Tenant, Name);
        await WaitForAsync(process, back => back?.Id == ScheduleTask.IdOf(schedule.Id));
        await schedules.DeleteAsync(Tenant, Name);
        await WaitForAsync(process, gone => gone is null);
        await StopAsync(process);
    }

    [Fact]
    public async Task What_was_removed_while_nothing_ran_is_gone_after_the_start_and_other_tasks_stay()
    {
        await using var process = Open(Path.Combine(_folder.FullName, "ledger.db"));
        process.GetRequiredService<IRecurringJobManager>().AddOrUpdate<ScheduleTask>(ScheduleTask.IdOf(7), task => task.RunAsync(7, "old", CancellationToken.None), Cron.Daily());
        process.GetRequiredService<IRecurringJobManager>().AddOrUpdate<SweepTask>("another", task => task.RunAsync(CancellationToken.None), Cron.Daily());

        await StartAsync(process);

        await WaitForAsync(process, gone => gone is null);
        using var connection = process.GetRequiredService<JobStorage>().GetConnection();
        Assert.Contains(connection.GetRecurringJobs(), task => task.Id == "another");
        await StopAsync(process);
    }

    [Fact]
    public async Task Two_schedulers_on_one_database_fire_a_missed_fire_once()
    {
        await using PostgresServer server = new();
        await server.StartAsync();
        await server.CreateDatabaseAsync("ledger");
        var location = server.ConnectionString("ledger");
        // The last New Year has passed since, and the next is far.
        var newYear = new DateTimeOffset(DateTimeOffset.UtcNow.AddDays(-60).Year, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var schedule = await AddInThePastAsync(location, newYear.AddDays(-1));
        await using var first = Open(location);
        await using var second = Open(location);

        await Task.WhenAll(new[] { first, second }.Select(process => Task.Run(() => StartAsync(process))));
        await WaitForAsync(first, task => task is not null);
        for (var again = 0; again < 3; again++)
        {
            first.GetRequiredService<IRecurringJobManager>().Trigger(ScheduleTask.IdOf(schedule));
            second.GetRequiredService<IRecurringJobManager>().Trigger(ScheduleTask.IdOf(schedule));
        }

        var monitor = first.GetRequiredService<JobStorage>().GetMonitoringApi();
        await UntilAsync(() => monitor.SucceededListCount() >= 6 && monitor.GetStatistics() is { Enqueued: 0, Processing: 0 });
        var job = Assert.Single(await first.GetRequiredService<JobReader>().ListAsync(new()));
        Assert.Equal($"schedule:{schedule}:{newYear:yyyy-MM-dd}T00:00:00.000Z", job.Request.IdempotencyKey);
        await Task.WhenAll(StopAsync(first), StopAsync(second));
    }

    [Theory]
    [InlineData("30 2 * * *")]
    [InlineData("*/20 * * * *")]
    [InlineData("0 2,3 * * 0")]
    [InlineData("15 0 2 * * *")]
    public void Hangfire_fires_when_the_schedule_says_also_on_the_days_when_the_clocks_change(string cron)
    {
        using InMemoryStorage storage = new();
        var cadence = Cadence.Parse(cron, "Europe/Berlin");
        var now = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        RecurringJobManager manager = new(storage, JobFilterProviders.Providers, new DefaultTimeZoneResolver(), () => now);
        using var connection = storage.GetConnection();
        foreach (var day in (DateTime[])[new(2026, 3, 28, 22, 10, 0, DateTimeKind.Utc), new(2026, 10, 24, 22, 10, 0, DateTimeKind.Utc)])
        {
            for (var minutes = 0; minutes < 300; minutes += 10)
            {
                now = day.AddMinutes(minutes);
                var id = $"at-{now:s}";
                manager.AddOrUpdate<SweepTask>(id, task => task.RunAsync(CancellationToken.None), cron, new RecurringJobOptions { TimeZone = cadence.TimeZone });

                // To Hangfire a fire at the moment itself is one to come.
                Assert.Equal(cadence.Next(now.AddSeconds(-1)), new DateTimeOffset(connection.GetRecurringJobs([id])[0].NextExecution!.Value, TimeSpan.Zero));
            }
        }
    }

    private static ScheduleDefinition Nightly() => new()
    {
        Name = Name,
        Kind = ScheduleKind.Annotate,
        Cron = "30 2 * * *",
        TimeZone = "Europe/Berlin",
        Request = new() { Model = "m", Prompt = "What?", Source = new() { Kind = SourceKind.Folder, Path = "/images" } },
    };

    private static async Task<long> AddInThePastAsync(string location, DateTimeOffset time)
    {
        await using var past = new ServiceCollection()
            .AddSingleton<TimeProvider>(new FakeTimeProvider(time))
            .AddLlavaLedger(options => options.Configure(o => o.Location = location))
            .BuildServiceProvider();
        var schedules = past.GetRequiredService<ScheduleStore>();
        return (await schedules.AddAsync(Nightly() with { Cron = "0 0 1 1 *", TimeZone = "UTC" })).Id;
    }

    private static ServiceProvider Open(string location) => new ServiceCollection()
        .AddLlavaLedger(options => options.Configure(o => o.Location = location))
        .AddLlavaHangfire()
        .AddLoggingOfTheProcess()
        .BuildServiceProvider();

    /// <summary>The schedule's task once it is as wanted.</summary>
    private static async Task<RecurringJobDto?> WaitForAsync(ServiceProvider process, Func<RecurringJobDto?, bool> isWanted)
    {
        using var connection = process.GetRequiredService<JobStorage>().GetConnection();
        RecurringJobDto? task = null;
        await UntilAsync(() => isWanted(task = connection.GetRecurringJobs().Find(task => task.Id.StartsWith(ScheduleTask.Prefix, StringComparison.Ordinal))));
        return task;
    }

    private static async Task UntilAsync(Func<bool> isSo)
    {
        var waited = Stopwatch.StartNew();
        while (!isSo())
        {
            Assert.True(waited.Elapsed < Patience, "Hangfire did not follow.");
            await Task.Delay(50);
        }
    }

    private static async Task StartAsync(ServiceProvider process)
    {
        foreach (var service in process.GetServices<IHostedService>())
        {
            await service.StartAsync(default);
        }
    }

    private static async Task StopAsync(ServiceProvider process)
    {
        foreach (var service in process.GetServices<IHostedService>())
        {
            await service.StopAsync(default);
        }
    }
}
