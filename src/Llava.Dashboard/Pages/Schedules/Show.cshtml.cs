using Llava.Dashboard.Api;
using Llava.Dashboard.Schedules;
using Llava.Ledger.Jobs;
using Llava.Ledger.Keys;
using Llava.Ledger.Schedules;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Llava.Dashboard.Pages.Schedules;

/// <summary>One schedule: what it does, when it runs next, and how it went.</summary>
public sealed class ScheduleModel(ScheduleStore schedules, JobReader jobs, TimeProvider time) : PageModel
{
    private const int LastJobs = 50;

    /// <summary>The schedule.</summary>
    public ScheduleView View { get; private set; } = null!;

    /// <summary>When it runs next.</summary>
    public NextFires Next { get; private set; } = null!;

    /// <summary>Whether the reader may change it.</summary>
    public bool MayAct => Caller.Of(User).Role >= AccessRole.Operator;

    /// <summary>The page; another tenant's schedule is as if it were not there.</summary>
    public async Task<IActionResult> OnGetAsync(string? name, string? tenant, CancellationToken cancellation)
    {
        var caller = Caller.Of(User);
        var found = (await schedules.ListAsync(tenant ?? caller.Tenant, cancellation)).FirstOrDefault(schedule => schedule.Definition.Name == name);
        if (found is null || !caller.MaySee(found.Definition.Tenant))
        {
            return NotFound();
        }

        View = await ScheduleView.ReadAsync(schedules, jobs, found, LastJobs, cancellation);
        Next = NextFires.Of(found.Cadence, time.GetUtcNow());
        return Page();
    }
}
