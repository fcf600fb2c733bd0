using Llava.Dashboard.Api;
using Llava.Dashboard.Models;
using Llava.Dashboard.Schedules;
using Llava.Dashboard.Security;
using Llava.Ledger.Files;
using Llava.Ledger.Keys;
using Llava.Ledger.Schedules;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Llava.Dashboard.Pages.Schedules;

/// <summary>Makes a schedule, or puts another in the place of one there is.</summary>
[PageRoles(AccessRole.Operator, AccessRole.Operator)]
internal sealed class EditScheduleModel(ScheduleStore schedules, ModelRegistry registry, FileStore files, TimeProvider time) : PageModel
{
    private const int ShownFiles = 100;

    /// <summary>Usual answers to when.</summary>
    public static IReadOnlyList<string> UsualTimes { get; } = ["0 2 * * *", "*/15 * * * *", "0 * * * *", "0 8 * * MON-FRI", "0 3 * * SUN", "0 4 1 * *"];

    /// <summary>What the form says.</summary>
    [BindProperty]
    public ScheduleForm Form { get; set; } = new();

    /// <summary>Name of the schedule that is edited; null for a new one.</summary>
    [BindProperty(SupportsGet = true, Name = "name")]
    public string? Edited { get; set; }

    /// <summary>Whose that is.</summary>
    [BindProperty(SupportsGet = true, Name = "tenant")]
    public string? EditedTenant { get; set; }

    /// <summary>What a schedule can do, and what that is called.</summary>
    public static IReadOnlyList<(string Kind, string Name)> Kinds { get; } =
        [(ScheduleForm.Annotate, "Annotate"), (ScheduleForm.Evaluate, "Evaluate"), (ScheduleForm.Finetune, "Finetune")];

    /// <summary>Files to learn from.</summary>
    public IReadOnlyList<FileRecord> Files { get; private set; } = [];

    /// <summary>Models to choose from.</summary>
    public IReadOnlyList<string> Models { get; private set; } = [];

    /// <summary>Names of the time zones.</summary>
    public static IEnumerable<string> TimeZones => TimeZoneInfo.GetSystemTimeZones().Where(zone => zone.HasIanaId).Select(zone => zone.Id);

    /// <summary>When what the form says would fire.</summary>
    public NextFires Next => NextFires.Of(Form.Cron, Form.TimeZone, time.GetUtcNow());

    /// <summary>The form.</summary>
    public async Task<IActionResult> OnGetAsync(string? kind, CancellationToken cancellation)
    {
        Form.Kind = Kinds.FirstOrDefault(one => one.Kind == kind).Kind ?? ScheduleForm.Annotate;
        Form.SourceKind = Form.Kind == ScheduleForm.Annotate ? Form.SourceKind : "questions";
        if (Edited is not null)
        {
            if (await FindAsync(cancellation) is not { } schedule)
            {
                return NotFound();
            }

            Form = ScheduleForm.Of(schedule.Definition);
        }

        return await ShowAsync(cancellation);
    }

    /// <summary>When what is typed so far would fire.</summary>
    public IActionResult OnGetPreview([FromQuery(Name = "Form.Cron")] string? cron, [FromQuery(Name = "Form.TimeZone")] string? zone) =>
        Partial("_NextFires", NextFires.Of(cron, zone, time.GetUtcNow()));

    /// <summary>Keeps what the form says, or shows what is wrong with it.</summary>
    public async Task<IActionResult> OnPostAsync(CancellationToken cancellation)
    {
        var before = Edited is null ? null : await FindAsync(cancellation);
        if (Edited is not null && before is null)
        {
            return NotFound();
        }

        // The name is how a schedule is found again.
        Form.Name = Edited ?? Form.Name;
        if (!ModelState.IsValid)
        {
            return await ShowAsync(cancellation);
        }

        try
        {
            var definition = Form.ToDefinition(before?.Definition.Tenant ?? Caller.Of(User).Tenant, before?.Definition);
            var kept = before is null ? await schedules.AddAsync(definition, cancellation) : await schedules.ReplaceAsync(definition, cancellation);
            TempData["Said"] = $"“{kept.Definition.Name}” runs {kept.Cadence.Words}.";
            return Redirect(new ScheduleView(kept, [], []).Link);
        }
        catch (InvalidScheduleException invalid)
        {
            foreach (var finding in invalid.Findings)
            {
                var field = ScheduleForm.FieldOf(finding.Field);
                ModelState.AddModelError($"Form.{field}", field.Length == 0 ? $"{finding.Field} {finding.Message}" : finding.Message);
            }
        }
        catch (ScheduleExistsException exists)
        {
            ModelState.AddModelError("Form.Name", exists.Message);
        }

        return await ShowAsync(cancellation);
    }

    /// <summary>What is wrong with a field of the form.</summary>
    public IEnumerable<string> ProblemsOf(string field) => ModelState.TryGetValue($"Form.{field}", out var entry) ? entry.Errors.Select(error => error.ErrorMessage) : [];

    private async Task<IActionResult> ShowAsync(CancellationToken cancellation)
    {
        Models = [.. (await registry.ReadAsync(Caller.Of(User).Confinement, cancellation)).Select(model => model.Name)];
        Files = Form.Kind == ScheduleForm.Finetune
            ? await files.ListAsync(new() { Tenant = EditedTenant ?? Caller.Of(User).Tenant, Purpose = "fine-tune", Limit = ShownFiles }, cancellation)
            : [];
        return Page();
    }

    private async Task<ScheduleRecord?> FindAsync(CancellationToken cancellation)
    {
        var tenant = EditedTenant ?? Caller.Of(User).Tenant;
        return Caller.Of(User).MaySee(tenant) ? (await schedules.ListAsync(tenant, cancellation)).FirstOrDefault(schedule => schedule.Definition.Name == Edited) : null;
    }
}
