using Llava.Contracts.Messages;
using Llava.Hosting.Transport;
using Llava.Ledger.Jobs;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Llava.Scheduler.Completion;

/// <summary>Publishes how far running jobs are.</summary>
internal sealed partial class ProgressLoop(JobReports reports, MessageSender sender, SchedulerOptions options, TimeProvider time, ILogger<ProgressLoop> logger) : BackgroundService
{
    // The ledger decides whose turn it is and when. A timer of the whole time would now and then come just too early, and wait it out once more.
    private const int LooksPerReport = 4;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.Progress == TimeSpan.Zero)
        {
            return;
        }

        using PeriodicTimer timer = new(options.Progress / LooksPerReport, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await reports.ReportAsync(
                    options.Progress,
                    (job, counts, token) => sender.PublishAsync(new JobProgressed(job.Id, counts.Succeeded, counts.Failed, counts.Total), token),
                    stoppingToken);
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                ReportFailed(failure);
            }
        }
    }

    [LoggerMessage(4021, LogLevel.Warning, "Progress of running jobs could not be published; it is tried again")]
    private partial void ReportFailed(Exception failure);
}
