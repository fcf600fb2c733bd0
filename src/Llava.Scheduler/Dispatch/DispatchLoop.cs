using Llava.Ledger.Signals;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Llava.Scheduler.Dispatch;

/// <summary>Keeps the windows full.</summary>
internal sealed partial class DispatchLoop(Dispatcher dispatcher, ILedgerSignal signal, SchedulerOptions options, ILogger<DispatchLoop> logger) : BackgroundService
{
    // Chunks of a fast model end by the thousand in a second, and each rings: looking two hundred times is enough.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var listener = signal.Listen(LedgerTopic.ChunksWaiting);
        while (true)
        {
            try
            {
                await dispatcher.DispatchAsync(stoppingToken);
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                DispatchFailed(failure);
            }

            await Task.Delay(Pause, stoppingToken);
            await listener.WaitAsync(options.Poll, stoppingToken);
        }
    }

    [LoggerMessage(4011, LogLevel.Error, "Dispatching failed; trying again")]
    private partial void DispatchFailed(Exception failure);
}
