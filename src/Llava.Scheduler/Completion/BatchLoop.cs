using Llava.Ledger.Batches;
using Llava.Ledger.Signals;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Llava.Scheduler.Completion;

/// <summary>Makes the files of batches that are over.</summary>
internal sealed partial class BatchLoop(BatchPublication batches, ILedgerSignal signal, SchedulerOptions options, ILogger<BatchLoop> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var listener = signal.Listen(LedgerTopic.WorkFinished);
        while (true)
        {
            try
            {
                if (await batches.PublishAsync(stoppingToken) > 0)
                {
                    // Whoever tells of it need not wait for its next look.
                    signal.Ring(LedgerTopic.WorkFinished);
                }
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                LookFailed(failure);
            }

            await listener.WaitAsync(options.Poll, stoppingToken);
        }
    }

    [LoggerMessage(4022, LogLevel.Error, "Looking for batches that are over failed; trying again")]
    private partial void LookFailed(Exception failure);
}
