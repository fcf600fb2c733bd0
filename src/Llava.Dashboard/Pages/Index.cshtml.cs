using Llava.Dashboard.Api;
using Llava.Dashboard.Overview;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Llava.Dashboard.Pages;

/// <summary>How everything is: throughput, queue, what runs, and the health of the parts.</summary>
internal sealed class IndexModel(OverviewReader overview) : PageModel
{
    /// <summary>What is shown.</summary>
    public OverviewState State { get; private set; } = null!;

    public async Task OnGetAsync(CancellationToken cancellationToken) => State = await overview.ReadAsync(Caller.Of(User).Confinement, cancellationToken);
}
