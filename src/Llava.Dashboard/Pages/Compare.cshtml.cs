using Llava.Contracts;
using Llava.Dashboard.Api;
using Llava.Dashboard.Jobs;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Llava.Dashboard.Pages;

/// <summary>Two jobs side by side on the images they share.</summary>
internal sealed class CompareModel(JobReader jobs, ComparisonReader comparisons, AgreementReader agreements) : PageModel
{
    private const int PageSize = 24;
    private const int Choices = 100;

    /// <summary>One job.</summary>
    public JobView? Left { get; private set; }

    /// <summary>The other.</summary>
    public JobView? Right { get; private set; }

    /// <summary>Jobs to choose from, the newest first.</summary>
    public IReadOnlyList<JobView> Jobs { get; private set; } = [];

    /// <summary>The pairs of this page.</summary>
    public IReadOnlyList<ComparedItem> Pairs { get; private set; } = [];

    /// <summary>How often they agree.</summary>
    public AgreementCounts Counts { get; private set; } = new(0, 0);

    /// <summary>Whether there are more pairs.</summary>
    public bool HasMore { get; private set; }

    /// <summary><c>same</c> or <c>different</c>, as far as the page is asked for it.</summary>
    [BindProperty(SupportsGet = true)]
    public string? Agreement { get; set; }

    /// <summary>The last item of the page before.</summary>
    [BindProperty(SupportsGet = true)]
    public int? After { get; set; }

    public async Task<IActionResult> OnGetAsync(string? left, string? right, CancellationToken cancellationToken)
    {
        Jobs = [.. (await jobs.ListAsync(new() { Tenant = Caller.Of(User).Confinement, Limit = Choices }, cancellationToken)).Select(job => new JobView(job, job.FinalProgress ?? new() { Total = job.ItemCount }))];
        (Left, Right) = (await FindAsync(left, cancellationToken), await FindAsync(right, cancellationToken));
        if ((left is { Length: > 0 } && Left is null) || (right is { Length: > 0 } && Right is null))
        {
            return NotFound();
        }

        if (Left is not null && Right is not null)
        {
            await ReadAsync(Left, Right, cancellationToken);
        }

        return Page();
    }

    /// <summary>The address of this comparison with another filter or place.</summary>
    public string Address(string? agreement, int? after = null) =>
        $"/compare?left={Left!.Job.Id}&right={Right!.Job.Id}{(agreement is null ? "" : $"&agreement={agreement}")}{(after is null ? "" : $"&after={after}")}";

    private async Task ReadAsync(JobView left, JobView right, CancellationToken cancellationToken)
    {
        var wanted = Agreement switch { "same" => Ledger.Results.Agreement.Same, "different" => Ledger.Results.Agreement.Different, _ => (Ledger.Results.Agreement?)null };
        var pairs = await comparisons.PageAsync(left.Job, right.Job, new() { After = After ?? -1, Agreement = wanted, Limit = PageSize + 1 }, cancellationToken);
        HasMore = pairs.Count > PageSize;
        Pairs = [.. pairs.Take(PageSize)];
        Counts = await agreements.ReadAsync(left, right, cancellationToken);
    }

    private async Task<JobView?> FindAsync(string? id, CancellationToken cancellationToken) =>
        JobId.TryParse(id, null, out var job) && await jobs.FindAsync(job, cancellationToken) is { } record && Caller.Of(User).MaySee(record.Request.Tenant)
            ? new(record, record.FinalProgress ?? await jobs.ProgressAsync(job, cancellationToken))
            : null;
}
