using System.Globalization;
using Hangfire.Dashboard;
using Llava.Contracts.States;
using Llava.Ledger.Backlogs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Llava.Dashboard.Recurring;

/// <summary>
/// Figures of the ledger for Hangfire's overview. Hangfire asks without waiting, so what was counted last is shown and, once it is old,
/// counted anew for the next time.
/// </summary>
internal sealed partial class JobFigures(BacklogReader backlogs, TimeProvider time, ILogger<JobFigures> logger)
{
    private static readonly TimeSpan GoodFor = TimeSpan.FromSeconds(2);

    private Backlog? _last;
    private long _countedAt;
    private int _isCounting;

    /// <summary>What Hangfire's overview shows.</summary>
    public static DashboardMetric[] Metrics { get; } =
    [
        Metric("llava:running", "Llava jobs running", backlog => Jobs(backlog, JobState.Running)),
        Metric("llava:queued", "Llava jobs waiting", backlog => Jobs(backlog, JobState.Validating) + Jobs(backlog, JobState.Queued)),
        Metric("llava:items", "Llava items left", backlog => backlog.Work.Sum(work => work.Items)),
    ];

    private static DashboardMetric Metric(string name, string title, Func<Backlog, long> count) => new(name, title, page =>
    {
        var backlog = HangfireHosting.CallerOf(page.Context).Confinement is null ? page.Context.GetHttpContext().RequestServices.GetRequiredService<JobFigures>().Latest() : null;
        return new(backlog is null ? "–" : count(backlog).ToString(CultureInfo.InvariantCulture));
    });

    private static long Jobs(Backlog backlog, JobState state) => backlog.Jobs.GetValueOrDefault(state);

    private Backlog? Latest()
    {
        if ((_last is null || time.GetElapsedTime(_countedAt) >= GoodFor) && Interlocked.Exchange(ref _isCounting, 1) == 0)
        {
            _ = CountAsync();
        }

        return _last;
    }

    private async Task CountAsync()
    {
        try
        {
            _last = await backlogs.ReadAsync();
            _countedAt = time.GetTimestamp();
        }
        catch (Exception failure)
        {
            NotCounted(failure);
        }
        finally
        {
            _isCounting = 0;
        }
    }

    [LoggerMessage(5032, LogLevel.Warning, "The ledger's figures for Hangfire could not be counted")]
    private partial void NotCounted(Exception failure);
}
