using Llava.GpuConsumer.Runners;
using Llava.GpuConsumer.Telemetry;
using Llava.Hosting.Processes;
using Llava.Ledger.Workers;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Llava.GpuConsumer.Workers;

/// <summary>
/// Loads the models, then says every few seconds that this worker lives and what it serves. It announces itself only once
/// the bus listens, and says goodbye after the bus has drained.
/// </summary>
internal sealed partial class WorkerHeartbeat(
    WorkerIdentity identity,
    WorkerRegistry registry,
    IItemRunnerFactory runners,
    ConsumerOptions options,
    ConsumerMetrics metrics,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILogger<WorkerHeartbeat> logger) : BackgroundService
{
    private volatile bool _announced;

    /// <summary>Whether the models are loaded and the worker is known to the scheduler.</summary>
    public bool IsReady => _announced;

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
        var models = await LoadAsync(stoppingToken);
        await StartedAsync(stoppingToken);
        using PeriodicTimer timer = new(options.Heartbeat < registry.Expiry / 2 ? options.Heartbeat : registry.Expiry / 2, time);
        using var draining = lifetime.ApplicationStopping.Register(() => _ = BeatAsync(models, CancellationToken.None));
        do
        {
            await BeatAsync(models, stoppingToken);
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task<IReadOnlyList<ServedModel>> LoadAsync(CancellationToken cancellation)
    {
        List<ServedModel> models = [];
        foreach (var name in options.Models)
        {
            var runner = await runners.GetAsync(name, cancellation);
            metrics.Watch(runner);
            models.Add(new(name, runner.Revision, runner.Slots));
            ModelServed(name, runner.Revision, runner.Slots);
        }

        return models;
    }

    private async Task StartedAsync(CancellationToken cancellation)
    {
        TaskCompletionSource started = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = lifetime.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(cancellation);
    }

    private async Task BeatAsync(IReadOnlyList<ServedModel> models, CancellationToken cancellation)
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
                    Models = models,
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

    [LoggerMessage(3001, LogLevel.Information, "Serving model {Model} revision {Revision} with {Slots} slots")]
    private partial void ModelServed(string model, string revision, int slots);

    [LoggerMessage(3002, LogLevel.Error, "The heartbeat could not be written; trying again")]
    private partial void HeartbeatFailed(Exception failure);
}
