using Llava.Dashboard.Api;
using Llava.Dashboard.Jobs;
using Llava.Ledger.Jobs;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Llava.Dashboard.Pages.Jobs;

/// <summary>All jobs: filtered, searched, and controlled many at a time.</summary>
public sealed class IndexModel(JobReader jobs, JobControl control) : PageModel
{
    /// <summary>The page of jobs.</summary>
    public JobList List { get; private set; } = null!;

    /// <summary>Models that jobs ask for, to choose from.</summary>
    public IReadOnlyList<string> Models { get; private set; } = [];

    /// <summary>Tenants to choose from; none for who is confined to one.</summary>
    public IReadOnlyList<string> Tenants { get; private set; } = [];

    /// <summary>Whether the reader may do something.</summary>
    public bool MayAct => Caller.Of(User).Role >= Ledger.Keys.AccessRole.Operator;

    /// <summary>The page.</summary>
    public async Task OnGetAsync(CancellationToken cancellationToken)
    {
        var confinement = Caller.Of(User).Confinement;
        List = await JobList.ReadAsync(jobs, JobsQuery.Parse(Request.QueryString.Value ?? ""), confinement, cancellationToken);
        Models = await jobs.ModelsAsync(confinement, cancellationToken);
        Tenants = confinement is null ? await jobs.TenantsAsync(cancellationToken) : [];
    }

    /// <summary>Does something to the ticked jobs, or to all that the filter finds.</summary>
    /// <param name="verb"><c>pause</c>, <c>resume</c>, <c>cancel</c> or <c>retry</c>.</param>
    /// <param name="job">Ids of the ticked jobs.</param>
    /// <param name="scope"><c>filter</c> for all that the filter finds.</param>
    /// <param name="query">The filter.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<IActionResult> OnPostAsync(string verb, string[] job, string? scope, string? query, CancellationToken cancellationToken)
    {
        if (!BulkControl.Knows(verb))
        {
            return BadRequest();
        }

        var confinement = Caller.Of(User).Confinement;
        BulkControl bulk = new(jobs, control);
        var chosen = scope == "filter" ? bulk.AllAsync((JobsQuery.Parse(query ?? "") with { Before = null }).Filter(confinement)) : bulk.ChosenAsync(job);
        TempData["Said"] = await bulk.RunAsync(verb, chosen, confinement, cancellationToken);
        return Redirect(string.IsNullOrEmpty(query) ? "/jobs" : "/jobs?" + JobsQuery.Parse(query));
    }
}
