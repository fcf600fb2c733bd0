using Llava.Hosting.Processes;
using Llava.Hosting.Transport;
using Llava.Ledger.Chunks;
using Llava.Ledger.Workers;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Llava.Scheduler.Recovery;

/// <summary>Repairs at the start what a killed process left, and from then on what falls silent.</summary>
internal sealed partial class SweepLoop(LeaseSweep sweep, ChunkDispatch chunks, WorkerRegistry workers, IOptions<TransportOptions> transport, SchedulerOptions options, TimeProvider time, ILogger<SweepLoop> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var isFirst = true;
        using PeriodicTimer timer = new(options.Sweep, time);
        do
        {
            try
            {
                if (isFirst && transport.Value.Kind == TransportKind.InMemory)
                {
                    await chunks.ForgetPublishedAsync(stoppingToken);
                }

                await EndDeadWorkersAsync(stoppingToken);
                await sweep.SweepAsync(stoppingToken);
                isFirst = false;
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                SweepFailed(failure);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <summary>A worker of this machine whose process is gone will not come back: its chunks need not wait for their leases to end.</summary>
    private async Task EndDeadWorkersAsync(CancellationToken cancellation)
    {
        foreach (var worker in await workers.ListAsync(cancellation))
        {
            if (worker.Host == ThisProcess.Host && ThisProcess.IsDead(worker.ProcessId, worker.ProcessStart))
            {
                WorkerDied(worker.Id, worker.ProcessId);
                await sweep.EndLeasesOfAsync(worker.Id, cancellation);
                await workers.RemoveAsync(worker.Id, cancellation);
            }
        }
    }

    [LoggerMessage(4030, LogLevel.Error, "Sweeping failed; trying again")]
    private partial void SweepFailed(Exception failure);

    [LoggerMessage(4031, LogLevel.Warning, "Worker {Worker} ended without a word: process {Process} is gone; its chunks are open again")]
    private partial void WorkerDied(string worker, int process);
}
