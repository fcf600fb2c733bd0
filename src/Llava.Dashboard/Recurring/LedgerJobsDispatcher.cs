using Hangfire.Dashboard;
using Llava.Dashboard.Jobs;
using Llava.Ledger.Jobs;
using Microsoft.Extensions.DependencyInjection;

namespace Llava.Dashboard.Recurring;

/// <summary>Answers with the newest jobs of the caller's tenant as a page of Hangfire's. They are read first: Hangfire writes its pages without waiting.</summary>
internal sealed class LedgerJobsDispatcher : IDashboardDispatcher
{
    public const string Path = "/llava";

    private const int Shown = 50;

    public async Task Dispatch(DashboardContext context)
    {
        var http = context.GetHttpContext();
        var reader = http.RequestServices.GetRequiredService<JobReader>();
        List<JobView> jobs = [];
        foreach (var job in await reader.ListAsync(new() { Tenant = HangfireHosting.CallerOf(context).Confinement, Limit = Shown }, http.RequestAborted))
        {
            jobs.Add(new(job, await reader.ProgressAsync(job.Id, http.RequestAborted)));
        }

        // Only a route of Hangfire's can write one of its pages.
        RouteCollection page = new();
        page.AddRazorPage(Path, _ => new LedgerJobsPage(jobs));
        await page.FindDispatcher(Path).Item1.Dispatch(context);
    }
}
