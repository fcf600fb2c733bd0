using Llava.Dashboard.Api;
using Llava.Dashboard.Schedules;
using Llava.Ledger.Jobs;
using Llava.Ledger.Keys;
using Llava.Ledger.Schedules;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Llava.Dashboard.Pages.Schedules;

/// <summary>What is done again and again, and when.</summary>
public sealed class SchedulesModel(ScheduleStore schedules, ScheduleFiring firing, JobReader jobs, TimeProvider time) : PageModel
{
    /// <summary>Schedules by name, each with its last job.</summary>
    public IReadOnlyList<ScheduleView> Schedules { get; private set; } = [];

    /// <summary>Now.</summary>
    public DateTimeOffset Now { get; } = time.GetUtcNow();

    /// <summary>Whether the reader may change something.</summary>
    public bool MayAct => Caller.Of(User).Role >= AccessRole.Operator;

    /// <summary>Whether schedules of several tenants are shown.</summary>
    public bool ShowsTenants => Caller.Of(User).Confinement is null;

    /// <summary>The page.</summary>
    public async Task OnGetAsync(CancellationToken cancellation)
    {
        List<ScheduleView> views = [];
        foreach (var schedule in await schedules.ListAsync(Caller.Of(User).Confinement, cancellation))
        {
            views.Add(await ScheduleView.ReadAsync(schedules, jobs, schedule, 1, cancellation));
        }

        Schedules = views;
    }

    /// <summary>Keeps a schedule from firing.</summary>
    public Task<IActionResult> OnPostPauseAsync(string name, string tenant, CancellationToken cancellation) => ActAsync(name, tenant, async () =>
    {
        await schedules.PauseAsync(tenant, name, cancellation);
        return $"“{name}” is paused; the job it made last goes on.";
    });

    /// <summary>Lets a schedule fire again.</summary>
    public Task<IActionResult> OnPostResumeAsync(string name, string tenant, CancellationToken cancellation) => ActAsync(name, tenant, async () =>
    {
        await schedules.ResumeAsync(tenant, name, cancellation);
        return $"“{name}” runs again.";
    });

    /// <summary>Submits a schedule's job now.</summary>
    public Task<IActionResult> OnPostRunAsync(string name, string tenant, CancellationToken cancellation) => ActAsync(name, tenant, async () =>
    {
        var fire = await firing.RunAsync(tenant, name, cancellation);
        return fire.Outcome == ScheduleOutcome.Submitted ? $"“{name}” made {fire.Made}." : fire.Reason!;
    });

    /// <summary>Removes a schedule and what it remembers.</summary>
    public Task<IActionResult> OnPostRemoveAsync(string name, string tenant, CancellationToken cancellation) => ActAsync(name, tenant, async () =>
    {
        var cancelled = await schedules.DeleteAsync(tenant, name, cancellation);
        return cancelled.Count == 0 ? $"“{name}” is removed; its jobs stay." : $"“{name}” is removed; {string.Join(", ", cancelled)} had not begun and is cancelled.";
    });

    /// <summary>Another tenant's schedule is as if it were not there.</summary>
    private async Task<IActionResult> ActAsync(string name, string tenant, Func<Task<string>> act)
    {
        if (name is null || tenant is null || !Caller.Of(User).MaySee(tenant))
        {
            return NotFound();
        }

        try
        {
            TempData["Said"] = await act();
        }
        catch (ScheduleNotFoundException)
        {
            return NotFound();
        }

        return Redirect("/schedules");
    }
}
