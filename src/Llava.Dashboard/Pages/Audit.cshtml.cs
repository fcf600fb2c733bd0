using System.Globalization;
using Llava.Dashboard.Security;
using Llava.Ledger.Audit;
using Llava.Ledger.Keys;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Llava.Dashboard.Pages;

/// <summary>Who did what when.</summary>
[PageRoles(AccessRole.Admin, AccessRole.Admin)]
public sealed class AuditModel(AuditLog audit) : PageModel
{
    private const int PageSize = 50;

    /// <summary>What the names of the actors begin with that are looked for.</summary>
    [BindProperty(SupportsGet = true, Name = "who")]
    public string? Actor { get; set; }

    /// <summary>What the actions begin with that are looked for.</summary>
    [BindProperty(SupportsGet = true, Name = "what")]
    public string? Action { get; set; }

    /// <summary>What the targets begin with that are looked for.</summary>
    [BindProperty(SupportsGet = true, Name = "which")]
    public string? Target { get; set; }

    /// <summary>The number of the last line of the page before.</summary>
    [BindProperty(SupportsGet = true, Name = "before")]
    public long Before { get; set; } = long.MaxValue;

    /// <summary>Lines, the newest first.</summary>
    public IReadOnlyList<AuditEntry> Lines { get; private set; } = [];

    /// <summary>Whether there are older ones.</summary>
    public bool HasMore { get; private set; }

    /// <summary>What a check of the chain found; null where none was asked for.</summary>
    public AuditVerdict? Verdict { get; private set; }

    /// <summary>Whether not all lines are looked for.</summary>
    public bool IsFiltered => Actor is not null || Action is not null || Target is not null;

    /// <summary>Where the lines before a number are shown, or the newest.</summary>
    public string Link(long? before)
    {
        (string Name, string? Value)[] parts = [("who", Actor), ("what", Action), ("which", Target), ("before", before?.ToString(CultureInfo.InvariantCulture))];
        return "/audit" + QueryString.Create(parts.Where(part => part.Value is not null).Select(part => KeyValuePair.Create(part.Name, part.Value)));
    }

    /// <summary>The page.</summary>
    /// <param name="check">Whether the chain is checked too.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task OnGetAsync(bool check, CancellationToken cancellation)
    {
        var found = await audit.ListAsync(new() { Actor = Actor, Action = Action, Target = Target, Before = Before, Limit = PageSize + 1 }, cancellation);
        HasMore = found.Count > PageSize;
        Lines = HasMore ? found[..PageSize] : found;
        Verdict = check ? await audit.VerifyAsync(null, cancellation) : null;
    }
}
