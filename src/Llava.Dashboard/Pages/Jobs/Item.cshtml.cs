using Llava.Contracts;
using Llava.Contracts.States;
using Llava.Dashboard.Api;
using Llava.Dashboard.Jobs;
using Llava.Ledger.Chunks;
using Llava.Ledger.Jobs;
using Llava.Ledger.Keys;
using Llava.Ledger.Results;
using Llava.Ledger.Reviews;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Llava.Dashboard.Pages.Jobs;

/// <summary>One item: all there is to know of it, and its review for those without scripts.</summary>
internal sealed class ItemModel(JobReader jobs, GalleryReader gallery, ReviewStore reviews, AttemptHistory attempts) : PageModel
{
    /// <summary>The job's name for people.</summary>
    public string Source { get; private set; } = "";

    /// <summary>The item.</summary>
    public GalleryCard Card { get; private set; } = null!;

    /// <summary>All that people said of it, the oldest first.</summary>
    public IReadOnlyList<Review> History { get; private set; } = [];

    /// <summary>Claims of its chunk that did not end well.</summary>
    public IReadOnlyList<ChunkAttempt> Attempts { get; private set; } = [];

    public async Task<IActionResult> OnGetAsync(string id, int item, CancellationToken cancellationToken)
    {
        if (await FindAsync(id, cancellationToken) is not { } job || await gallery.FindAsync(job.Id, item, cancellationToken) is not { } found)
        {
            return NotFound();
        }

        Source = JobView.NameOf(job.Request.Source.Path);
        Card = new(job, found, Caller.Of(User).Role >= AccessRole.Operator);
        History = await reviews.HistoryAsync(job.Id, item, cancellationToken);
        Attempts = await attempts.OfItemAsync(job.Id, item, cancellationToken);
        return Page();
    }

    public async Task<IActionResult> OnPostAsync(string id, int item, string verdict, string? text, CancellationToken cancellationToken)
    {
        if (await FindAsync(id, cancellationToken) is not { } job)
        {
            return NotFound();
        }

        if (!ReviewVerdicts.Table.TryParse(verdict, out var said))
        {
            return BadRequest();
        }

        try
        {
            await reviews.AddAsync(job.Id, item, said, text, User.Identity?.Name ?? Caller.Of(User).Id, cancellationToken);
        }
        catch (ReviewRefusedException refused)
        {
            TempData["Refused"] = refused.Message;
        }

        return Redirect($"/jobs/{job.Id}/items/{item}");
    }

    private async Task<JobRecord?> FindAsync(string id, CancellationToken cancellationToken) =>
        JobId.TryParse(id, null, out var job) && await jobs.FindAsync(job, cancellationToken) is { } record && Caller.Of(User).MaySee(record.Request.Tenant) ? record : null;
}
