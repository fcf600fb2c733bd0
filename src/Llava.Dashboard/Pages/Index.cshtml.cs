using Llava.Dashboard.Jobs;
using Llava.Ledger.Jobs;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Llava.Dashboard.Pages;

/// <summary>All jobs, the newest first, with live progress.</summary>
public sealed class IndexModel(JobReader jobs) : PageModel
{
    /// <summary>The newest jobs.</summary>
    public IReadOnlyList<JobView> Jobs { get; private set; } = [];

    /// <summary>The whole page.</summary>
    public Task OnGetAsync(CancellationToken cancellationToken) => ReadAsync(cancellationToken);

    /// <summary>Only the table, which asks for itself again while a job is running.</summary>
    public async Task<IActionResult> OnGetTableAsync(CancellationToken cancellationToken)
    {
        await ReadAsync(cancellationToken);
        return Partial("_JobTable", Jobs);
    }

    private async Task ReadAsync(CancellationToken cancellationToken)
    {
        var records = await jobs.ListAsync(new JobFilter(), cancellationToken);
        var views = new List<JobView>(records.Count);
        foreach (var record in records)
        {
            views.Add(new JobView(record, await jobs.ProgressAsync(record.Id, cancellationToken)));
        }

        Jobs = views;
    }
}
