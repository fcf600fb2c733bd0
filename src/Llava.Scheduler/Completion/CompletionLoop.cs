using Llava.Contracts.Messages;
using Llava.Hosting.Transport;
using Llava.Ledger.Jobs;
using Llava.Ledger.Sampling;
using Llava.Ledger.Signals;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Llava.Scheduler.Completion;

/// <summary>Pauses jobs whose sample is done, ends those that have nothing left to do, and publishes their end, again after a crash until the ledger knows that it went out.</summary>
internal sealed partial class CompletionLoop(JobEnding ending, JobSampling sampling, ILedgerSignal signal, MessageSender sender, SchedulerOptions options, ILogger<CompletionLoop> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var listener = signal.Listen(LedgerTopic.WorkFinished);
        while (true)
        {
            try
            {
                await sampling.PauseSampledAsync(stoppingToken);
                await ending.AdvanceAsync(stoppingToken);
                foreach (var job in await ending.UnannouncedAsync(stoppingToken))
                {
                    await AnnounceAsync(job, stoppingToken);
                }
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                EndingFailed(failure);
            }

            await listener.WaitAsync(options.Poll, stoppingToken);
        }
    }

    private Task<bool> AnnounceAsync(EndedJob job, CancellationToken cancellation) => ending.AnnounceAsync(job, async token =>
    {
        var counts = job.Progress;
        await sender.PublishAsync(new JobCompleted(job.Job.Id, job.EndState, counts.Succeeded, counts.Failed, counts.Total), token);
    }, cancellation);

    [LoggerMessage(4020, LogLevel.Error, "Ending jobs failed; trying again")]
    private partial void EndingFailed(Exception failure);
}
