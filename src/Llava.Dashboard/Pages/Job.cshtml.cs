using Llava.Contracts;
using Llava.Contracts.States;
using Llava.Dashboard.Jobs;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Llava.Dashboard.Pages;

/// <summary>One job: its progress, what failed and why, and its items as a gallery.</summary>
public sealed class JobModel(JobReader jobs, ResultReader results) : PageModel
{
    private const int PageSize = 48;

    /// <summary>The job and its progress.</summary>
    public JobView View { get; private set; } = null!;

    /// <summary>One page of items that have a result, in item order.</summary>
    public IReadOnlyList<ItemResult> Items { get; private set; } = [];

    /// <summary>How often items failed for which cause.</summary>
    public IReadOnlyList<ErrorCount> Errors { get; private set; } = [];

    /// <summary>The last item of the page before; −1 on the first.</summary>
    [BindProperty(SupportsGet = true)]
    public int After { get; set; } = -1;

    /// <summary>Whether only failed items are shown.</summary>
    [BindProperty(SupportsGet = true)]
    public bool OnlyFailed { get; set; }

    /// <summary>Whether there are items after this page.</summary>
    public bool HasMore { get; private set; }

    /// <summary>The query that shows this page again, and nothing else's.</summary>
    public string Query => $"?After={After}&OnlyFailed={(OnlyFailed ? "true" : "false")}";

    /// <summary>The whole page.</summary>
    public async Task<IActionResult> OnGetAsync(string id, CancellationToken cancellationToken) =>
        await ReadAsync(id, cancellationToken) ? Page() : NotFound();

    /// <summary>Only what changes while the job runs.</summary>
    public async Task<IActionResult> OnGetBodyAsync(string id, CancellationToken cancellationToken) =>
        await ReadAsync(id, cancellationToken) ? Partial("_JobBody", this) : NotFound();

    private async Task<bool> ReadAsync(string id, CancellationToken cancellationToken)
    {
        if (!JobId.TryParse(id, null, out var job) || await jobs.FindAsync(job, cancellationToken) is not { } record)
        {
            return false;
        }

        View = new JobView(record, await jobs.ProgressAsync(job, cancellationToken));
        Errors = await results.ErrorsByCauseAsync(job, cancellationToken);
        var filter = new ResultFilter { After = After, Limit = PageSize + 1, Outcome = OnlyFailed ? ItemOutcome.Failed : null };
        var page = await results.PageAsync(job, filter, cancellationToken);
        HasMore = page.Count > PageSize;
        Items = page.Count > PageSize ? page[..PageSize] : page;
        return true;
    }
}
