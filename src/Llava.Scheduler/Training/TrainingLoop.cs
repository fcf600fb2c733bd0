using Llava.Contracts.Messages;
using Llava.Contracts.States;
using Llava.Hosting.Transport;
using Llava.Ledger.Signals;
using Llava.Ledger.Training;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Llava.Scheduler.Training;

/// <summary>Tells consumers of training runs that wait, once for each time that one begins to wait. What is not heard is found by looking.</summary>
internal sealed partial class TrainingLoop(TrainingRuns runs, MessageSender sender, ILedgerSignal signal, ILogger<TrainingLoop> logger) : BackgroundService
{
    private static readonly TimeSpan Poll = TimeSpan.FromMinutes(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var listener = signal.Listen(LedgerTopic.TrainingChanged);
        HashSet<(string Run, TrainingRunState State)> told = [];
        while (true)
        {
            await listener.WaitAsync(Poll, stoppingToken);
            try
            {
                var waiting = (await runs.ListWaitingAsync(stoppingToken)).Select(run => (run.Id, run.State)).ToHashSet();
                told.IntersectWith(waiting);
                foreach (var run in waiting.Where(told.Add).ToList())
                {
                    await sender.SendAsync(TrainingQueue.Address, [new TrainStage(run.Id)], stoppingToken);
                }
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                NotTold(failure);
            }
        }
    }

    [LoggerMessage(4072, LogLevel.Information, "A training run that waits could not be told of; consumers that train find it by looking")]
    private partial void NotTold(Exception failure);
}
