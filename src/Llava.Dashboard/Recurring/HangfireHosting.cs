using Hangfire;
using Hangfire.Dashboard;
using Llava.Dashboard.Api;
using Llava.Dashboard.Security;
using Llava.Ledger.Keys;
using Microsoft.AspNetCore.Builder;

namespace Llava.Dashboard.Recurring;

/// <summary>Puts Hangfire's dashboard behind the pages' login, with the ledger's jobs as a page and in figures. Only admins change anything there.</summary>
internal static class HangfireHosting
{
    private const string Root = "/hangfire";

    // Hangfire keeps its routes for the whole process, however many hosts that has.
    private static readonly Lazy<bool> Pages = new(AddPages);

    public static void MapHangfirePages(this WebApplication app)
    {
        _ = Pages.Value;
        app.MapHangfireDashboard(Root, new DashboardOptions
        {
            Authorization = [new WithRole()],
            IsReadOnlyFunc = context => CallerOf(context).Role != AccessRole.Admin,
            AppPath = "/",
            DashboardTitle = "Llava.Batch recurring tasks",
            DisplayStorageConnectionString = false,
        }).RequireAuthorization(PageAccess.Viewer);
    }

    public static Caller CallerOf(DashboardContext context) => Caller.Of(context.GetHttpContext().User);

    private static bool AddPages()
    {
        DashboardRoutes.Routes.Add(LedgerJobsDispatcher.Path, new LedgerJobsDispatcher());
        NavigationMenu.Items.Add(page => new MenuItem("Llava jobs", page.Url.To(LedgerJobsDispatcher.Path))
        {
            Active = page.RequestPath.StartsWith(LedgerJobsDispatcher.Path, StringComparison.Ordinal),
        });
        Array.ForEach(JobFigures.Metrics, metric => GlobalConfiguration.Configuration.UseDashboardMetric(metric));
        return true;
    }

    private sealed class WithRole : IDashboardAuthorizationFilter
    {
        public bool Authorize(DashboardContext context) => CallerOf(context).Role is not null;
    }
}
