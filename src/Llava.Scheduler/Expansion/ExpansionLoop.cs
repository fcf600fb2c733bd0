using Llava.Contracts;
using Llava.Ledger.Expansion;
using Llava.Ledger.Jobs;
using Llava.Ledger.Signals;
using Llava.Scheduler.Telemetry;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Llava.Scheduler.Expansion;

/// <summary>Expands submitted jobs and parts of open ones, several jobs at a time.</summary>
internal sealed partial class ExpansionLoop(JobExpander expander, JobExpansion expansion, PartExpansion parts, ILedgerSignal signal, SchedulerOptions options, ILogger<ExpansionLoop> logger) : BackgroundService
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
        var own = (await expansion.WaitingAsync(cancellation)).Select(job => (Job: job, Expand: (Func<Task>)(() => expander.ExpandAsync(job, cancellation)))).ToList();
        var added = (await parts.WaitingAsync(cancellation)).Select(part => (part.Job, Expand: (Func<Task>)(() => expander.ExpandAsync(part, cancellation))));
        // After the look: who rings at its end is through by now, and the job's next part need not wait for another look.
        foreach (var (job, _) in _running.Where(pair => pair.Value.IsCompleted).ToList())
        {
            _running.Remove(job);
        }

        foreach (var (job, expand) in own.Concat(added).OrderByDescending(work => work.Job.Request.Priority).ThenBy(work => work.Job.Id))
        {
            if (_running.Count < options.ConcurrentExpansions && !_running.ContainsKey(job.Id))
            {
                _running[job.Id] = Task.Run(() => ExpandAsync(job, expand, cancellation), cancellation);
            }
        }
    }

    private async Task ExpandAsync(JobRecord job, Func<Task> expand, CancellationToken cancellation)
    {
        using var activity = SchedulerActivity.StartExpand(job);
        using var scope = Scope(logger, job.Id);
        try
        {
            await expand();
            signal.Ring(LedgerTopic.JobSubmitted);
        }
        catch (Exception failure) when (!cancellation.IsCancellationRequested)
        {
            // The job's source, or the part, stays unread and is taken up again where the ledger says it stands.
            ExpansionFailed(job.Id, failure);
        }
    }

    [LoggerMessage(4001, LogLevel.Error, "Expanding job {Job} failed; trying again")]
    private partial void ExpansionFailed(JobId job, Exception failure);

    [LoggerMessage(4002, LogLevel.Error, "Looking for submitted jobs failed; trying again")]
    private partial void LookFailed(Exception failure);
}
