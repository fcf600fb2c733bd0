using Llava.GpuConsumer.Interactive;
using Llava.GpuConsumer.Models;
using Llava.GpuConsumer.Training;
using Llava.Hosting.Processes;
using Llava.Ledger.Workers;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Llava.GpuConsumer.Workers;

/// <summary>
/// Has the models loaded, and says every few seconds, and whenever a model came or went, that this worker lives and what it
/// serves. It announces itself only once the bus listens, and says goodbye after the bus has drained.
/// </summary>
internal sealed partial class WorkerHeartbeat(
    WorkerIdentity identity,
    WorkerRegistry registry,
    ModelPool models,
    InteractiveDesk desk,
    ChatServer chat,
    ConsumerOptions options,
    TrainingOptions training,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILogger<WorkerHeartbeat> logger) : BackgroundService
{
    private volatile bool _announced;

    /// <summary>Whether the worker is known to the scheduler.</summary>
    public bool IsAnnounced => _announced;

    /// <exception cref="ModelTooLargeException">A model can never be loaded here: the process does not start.</exception>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await models.MeasureAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (_announced)
        {
            await registry.RemoveAsync(identity.Id, cancellationToken);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await StartedAsync(stoppingToken);
        using var draining = lifetime.ApplicationStopping.Register(Drain);
        _ = models.PreloadAsync(stoppingToken);
        var period = options.Heartbeat < registry.Expiry / 2 ? options.Heartbeat : registry.Expiry / 2;
        var (tick, change) = (Task.Delay(period, time, stoppingToken), models.ChangedAsync(stoppingToken));
        while (true)
        {
            await BeatAsync(stoppingToken);
            if (await Task.WhenAny(tick, change) == change)
            {
                await change;
                change = models.ChangedAsync(stoppingToken);
            }
            else
            {
                await tick;
                await models.ReviveAsync(stoppingToken);
                tick = Task.Delay(period, time, stoppingToken);
            }
        }
    }

    /// <summary>Takes no more work, and says so at once.</summary>
    private void Drain()
    {
        models.Close();
        _ = BeatAsync(CancellationToken.None);
    }

    private async Task StartedAsync(CancellationToken cancellation)
    {
        TaskCompletionSource started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(cancellation);
    }

    private async Task BeatAsync(CancellationToken cancellation)
    {
        try
        {
            await registry.HeartbeatAsync(
                new()
                {
                    Id = identity.Id,
                    Host = ThisProcess.Host,
                    ProcessId = ThisProcess.Id,
                    ProcessStart = ThisProcess.Start,
                    Models = [.. models.Standings.Select(standing => standing.Served with { ChatUrl = chat.Url, ChatsInFlight = desk.InFlight(standing.Served.Name) })],
                    Bases = training.Enabled ? [.. training.Bases.Keys.Order(StringComparer.Ordinal)] : [],
                    Draining = lifetime.ApplicationStopping.IsCancellationRequested,
                },
                cancellation);
            _announced = true;
        }
        catch (Exception failure) when (!cancellation.IsCancellationRequested)
        {
            HeartbeatFailed(failure);
        }
    }

    [LoggerMessage(3002, LogLevel.Error, "The heartbeat could not be written; trying again")]
    private partial void HeartbeatFailed(Exception failure);
}
