using Hangfire.Dashboard;
using Hangfire.Dashboard.Pages;
using Llava.Dashboard.Jobs;

namespace Llava.Dashboard.Recurring;

/// <summary>The ledger's jobs among Hangfire's pages. What people named is written as text.</summary>
internal sealed class LedgerJobsPage(IReadOnlyList<JobView> jobs) : RazorPage
{
    /// <inheritdoc/>
    public override void Execute()
    {
        Layout = new LayoutPage("Llava jobs");
        WriteLiteral("""<div class="row"><div class="col-md-12"><h1 class="page-header">Llava jobs</h1>""");
        if (jobs.Count == 0)
        {
            WriteLiteral("""<div class="alert alert-info">No jobs yet.</div>""");
        }
        else
        {
            WriteLiteral("""<div class="table-responsive"><table class="table"><thead><tr><th>Job</th><th>Model</th><th>State</th><th>Done</th><th>Failed</th><th>Submitted</th></tr></thead><tbody>""");
            foreach (var job in jobs)
            {
                WriteRow(job);
            }

            WriteLiteral("</tbody></table></div>");
        }

        WriteLiteral("</div></div>");
    }

    private void WriteRow(JobView job)
    {
        WriteLiteral("<tr><td><a href=\"/jobs/");
        Write(job.Job.Id);
        WriteLiteral("\">");
        Write(job.Source);
        WriteLiteral("</a></td><td>");
        Write(job.Model);
        WriteLiteral("</td><td>");
        Write(job.State);
        WriteLiteral("</td><td>");
        Write($"{job.Progress.Done} of {job.Progress.Total}");
        WriteLiteral("</td><td>");
        Write(job.Progress.Failed);
        WriteLiteral("</td><td>");
        WriteLiteral(Html.RelativeTime(job.Job.CreatedAt.UtcDateTime).ToString());
        WriteLiteral("</td></tr>");
    }
}
