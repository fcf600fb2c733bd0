using Llava.Contracts;
using Llava.Dashboard.Api;
using Llava.Dashboard.Jobs;
using Llava.Ledger.Jobs;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Llava.Dashboard.Pages.Jobs;

/// <summary>One job.</summary>
public sealed class JobModel(JobReader jobs) : PageModel
{
    /// <summary>The job and its progress.</summary>
    public JobView View { get; private set; } = null!;

    /// <summary>The page.</summary>
    public async Task<IActionResult> OnGetAsync(string id, CancellationToken cancellationToken)
    {
        if (!JobId.TryParse(id, null, out var job) || await jobs.FindAsync(job, cancellationToken) is not { } record || !Caller.Of(User).MaySee(record.Request.Tenant))
        {
            return NotFound();
        }

        View = new(record, await jobs.ProgressAsync(job, cancellationToken));
        return Page();
    }
}
