using Llava.Contracts;
using Llava.Ledger.Expansion;
using Llava.Ledger.Signals;
using Llava.Scheduler.Telemetry;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Llava.Scheduler.Expansion;

/// <summary>Expands submitted jobs, several at a time.</summary>
internal sealed partial class ExpansionLoop(JobExpander expander, JobExpansion expansion, ILedgerSignal signal, SchedulerOptions options, ILogger<ExpansionLoop> logger) : BackgroundService
{
    // Names the job in every line that is logged while it is expanded, whoever logs it.
    private static readonly Func<ILogger, JobId, IDisposable?> Scope = LoggerMessage.DefineScope<JobId>("Job {Job}");

    private readonly Dictionary<JobId, Task> _running = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var listener = signal.Listen(LedgerTopic.JobSubmitted);
        while (true)
        {
            try
            {
                await StartWaitingAsync(stoppingToken);
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                LookFailed(failure);
            }

            await listener.WaitAsync(options.Poll, stoppingToken);
        }
    }

    private async Task StartWaitingAsync(CancellationToken cancellation)
    {
        foreach (var (job, _) in _running.Where(pair => pair.Value.IsCompleted).ToList())
        {
            _running.Remove(job);
        }

        foreach (var job in await expansion.WaitingAsync(cancellation))
        {
            if (_running.Count < options.ConcurrentExpansions && !_running.ContainsKey(job.Id))
            {
                _running[job.Id] = Task.Run(() => ExpandAsync(job, cancellation), cancellation);
            }
        }
    }

    private async Task ExpandAsync(Ledger.Jobs.JobRecord job, CancellationToken cancellation)
    {
        using var activity = SchedulerActivity.StartExpand(job);
        using var scope = Scope(logger, job.Id);
        try
        {
            await expander.ExpandAsync(job, cancellation);
            signal.Ring(LedgerTopic.JobSubmitted);
        }
        catch (Exception failure) when (!cancellation.IsCancellationRequested)
        {
            // The job stays in validating and is taken up again where the ledger says it stands.
            ExpansionFailed(job.Id, failure);
        }
    }

    [LoggerMessage(4001, LogLevel.Error, "Expanding job {Job} failed; trying again")]
    private partial void ExpansionFailed(JobId job, Exception failure);

    [LoggerMessage(4002, LogLevel.Error, "Looking for submitted jobs failed; trying again")]
    private partial void LookFailed(Exception failure);
}
