using Llava.Hosting.Transport;
using Llava.Ledger.Jobs;
using Llava.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Llava.DistributedTests;

/// <summary>The broker goes away in the middle of a job, or stops taking messages; the job completes by itself.</summary>
public sealed class BrokerFaultTests : IAsyncLifetime
{
    private const int Items = 4000;

    private RabbitServer _broker = null!;

    public async Task InitializeAsync() => _broker = await RabbitServer.CreateAsync();

    public async Task DisposeAsync() => await _broker.DisposeAsync();

    [Fact]
    public async Task A_killed_broker_loses_nothing() => await AssertSurvivesAsync(
        async () =>
        {
            await _broker.KillAsync();
            await _broker.StartAsync();
        },
        // Debian's RabbitMQ 3.10 sometimes brings a quorum queue back without a leader (docs/decisions/0008-queue-type.md).
        QueueType.Classic);

    [Fact]
    public async Task A_restarted_broker_loses_nothing() => await AssertSurvivesAsync(async () =>
    {
        await _broker.StopAsync();
        await _broker.StartAsync();
    });

    [Fact]
    public async Task A_broker_without_memory_only_delays() => await AssertSurvivesAsync(async () =>
    {
        await _broker.SetMemoryAlarmAsync(true);
        await Task.Delay(TimeSpan.FromSeconds(2));
        await _broker.SetMemoryAlarmAsync(false);
    });

    [Fact]
    public async Task A_broker_without_disk_only_delays() => await AssertSurvivesAsync(async () =>
    {
        await _broker.SetDiskAlarmAsync(true);
        await Task.Delay(TimeSpan.FromSeconds(2));
        await _broker.SetDiskAlarmAsync(false);
    });

    private async Task AssertSurvivesAsync(Func<Task> fault, QueueType queueType = QueueType.Quorum)
    {
        await using var service = await Service.StartAsync(_broker, queueType);
        var job = (await service.Services.GetRequiredService<JobSubmission>().SubmitAsync(service.Request(Items))).Id;
        var jobs = service.Services.GetRequiredService<JobReader>();
        while ((await jobs.ProgressAsync(job)).Done < Items / 10)
        {
            await Task.Delay(5);
        }

        await fault();

        await service.AssertAnsweredAsync(job, Items);
    }
}
