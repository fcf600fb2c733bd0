using Llava.Contracts;
using Llava.Contracts.States;
using Llava.Dashboard.Api;
using Llava.Dashboard.Jobs;
using Llava.Ledger.Jobs;
using Llava.Ledger.Keys;
using Llava.Ledger.Results;
using Llava.Ledger.Reviews;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Llava.Dashboard.Pages.Jobs;

/// <summary>The items of a job as pictures with their answers, live while it runs, and their review.</summary>
internal sealed class GalleryModel(JobReader jobs, GalleryReader gallery, ResultReader results, ReviewStore reviews) : PageModel
{
    /// <summary>The page of items.</summary>
    public GalleryPage Shown { get; private set; } = null!;

    /// <summary>How far the job is.</summary>
    public ReviewProgress Progress { get; private set; } = null!;

    /// <summary>Codes of failures, to choose from.</summary>
    public IReadOnlyList<ErrorCount> Codes { get; private set; } = [];

    /// <summary>Categories, to choose from.</summary>
    public IReadOnlyList<string> Categories { get; private set; } = [];

    private bool MayAct => Caller.Of(User).Role >= AccessRole.Operator;

    public async Task<IActionResult> OnGetAsync(string id, CancellationToken cancellationToken)
    {
        if (await FindAsync(id, cancellationToken) is not { } job)
        {
            return NotFound();
        }

        Shown = await ReadAsync(job, cancellationToken);
        Progress = await ReviewProgress.ReadAsync(jobs, reviews, job, cancellationToken);
        Codes = Progress.View.Progress.Failed == 0 ? [] : await results.ErrorsByCauseAsync(job.Id, cancellationToken);
        Categories = await gallery.CategoriesAsync(job.Id, cancellationToken);
        return Page();
    }

    /// <summary>Only the cards, for the end of those that are there.</summary>
    public async Task<IActionResult> OnGetItemsAsync(string id, CancellationToken cancellationToken) =>
        await FindAsync(id, cancellationToken) is { } job ? Partial("_GalleryItems", await ReadAsync(job, cancellationToken)) : NotFound();

    /// <summary>Records a review and answers with the card as it is then.</summary>
    public async Task<IActionResult> OnPostReviewAsync(string id, int item, string verdict, string? text, CancellationToken cancellationToken)
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
            return new ContentResult { StatusCode = 409, Content = refused.Message, ContentType = "text/plain; charset=utf-8" };
        }

        return await gallery.FindAsync(job.Id, item, cancellationToken) is { } reviewed ? Partial("_GalleryItem", new GalleryCard(job, reviewed, MayAct)) : NotFound();
    }

    private Task<GalleryPage> ReadAsync(JobRecord job, CancellationToken cancellationToken) =>
        GalleryPage.ReadAsync(gallery, job, GalleryQuery.Parse(Request.QueryString.Value ?? ""), MayAct, cancellationToken);

    private async Task<JobRecord?> FindAsync(string id, CancellationToken cancellationToken) =>
        JobId.TryParse(id, null, out var job) && await jobs.FindAsync(job, cancellationToken) is { } record && Caller.Of(User).MaySee(record.Request.Tenant) ? record : null;
}
