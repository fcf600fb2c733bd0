using Hangfire;
using Llava.Ledger;
using Llava.Scheduler.Recurring;
using Llava.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Llava.Scheduler.Tests;

public sealed class HangfireTests : IAsyncLifetime
{
    private readonly PostgresServer _server = new();

    public async Task InitializeAsync()
    {
        await _server.StartAsync();
        await _server.CreateDatabaseAsync("ledger");
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task The_schedule_is_kept_in_the_ledgers_database_by_processes_that_start_at_the_same_moment()
    {
        await using var first = Open();
        await using var second = Open();

        await Task.WhenAll(new[] { first, second }.Select(process => Task.Run(() => StartAsync(process))));

        await using var later = Open();
        Assert.Equal([RetentionTask.Id, SweepTask.Id], await RecurringTasks.WaitForAsync(later.GetRequiredService<JobStorage>(), 2));
        await Task.WhenAll(StopAsync(first), StopAsync(second));
    }

    private ServiceProvider Open() => new ServiceCollection()
        .AddLlavaLedger(options => options.Configure(o => o.Location = _server.ConnectionString("ledger")))
        .AddLlavaHangfire()
        .AddLoggingOfTheProcess()
        .BuildServiceProvider();

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
