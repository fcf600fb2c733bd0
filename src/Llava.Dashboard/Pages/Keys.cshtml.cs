using Llava.Dashboard.Api;
using Llava.Dashboard.Security;
using Llava.Ledger.Keys;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Llava.Dashboard.Pages;

/// <summary>Keys of the API and of these pages: make, list, revoke.</summary>
[PageRoles(AccessRole.Admin, AccessRole.Admin)]
public sealed class KeysModel(ApiKeys keys, TimeProvider time) : PageModel
{
    private const int LongestDays = 36_500;

    /// <summary>All keys, the newest first.</summary>
    public IReadOnlyList<ApiKey> Keys { get; private set; } = [];

    /// <summary>The key that was made a moment ago, with its secret; null on every other view.</summary>
    public CreatedKey? Created { get; private set; }

    /// <summary>What is wrong with the form; null while nothing is.</summary>
    public string? Problem { get; private set; }

    /// <summary>What the form says.</summary>
    [BindProperty]
    public KeyForm Form { get; set; } = new();

    /// <summary>The reader's own key, which is not revoked by a slip; null for whoever came by the link.</summary>
    public string? OwnId => User.FindFirst(System.Security.Claims.ClaimTypes.NameIdentifier)?.Value;

    /// <summary>Whether a key opens now.</summary>
    public KeyStanding StandingOf(ApiKey key) => key.StandingAt(time.GetUtcNow());

    /// <summary>The page.</summary>
    public Task OnGetAsync(CancellationToken cancellation) => ListAsync(cancellation);

    /// <summary>Makes a key and shows its secret, this once.</summary>
    public async Task<IActionResult> OnPostCreateAsync(CancellationToken cancellation)
    {
        if (!AccessRoles.Names.Contains(Form.Role) || Form.Days is < 1 or > LongestDays)
        {
            Problem = $"Choose a role, and 1 to {LongestDays} days or none.";
        }
        else
        {
            try
            {
                var lifetime = Form.Days is { } days ? TimeSpan.FromDays(days) : (TimeSpan?)null;
                Created = await keys.CreateAsync((Form.Name ?? "").Trim(), (Form.Tenant ?? "").Trim(), Enum.Parse<AccessRole>(Form.Role, ignoreCase: true), lifetime, cancellation);
                ModelState.Clear();
                Form = new();
            }
            catch (ArgumentException wrong)
            {
                Problem = wrong.Message;
            }
        }

        await ListAsync(cancellation);
        return Page();
    }

    /// <summary>Refuses a key from now on, and ends what is open by it.</summary>
    public async Task<IActionResult> OnPostRevokeAsync(string id, CancellationToken cancellation)
    {
        if (await keys.RevokeAsync(id, cancellation) is not { } revoked)
        {
            return NotFound();
        }

        TempData["Said"] = $"The key “{revoked.Name}” is revoked.";
        return RedirectToPage();
    }

    private async Task ListAsync(CancellationToken cancellation) => Keys = await keys.ListAsync(cancellation);

    /// <summary>What is said about a new key.</summary>
    public sealed class KeyForm
    {
        /// <summary>What people call it.</summary>
        public string? Name { get; set; }

        /// <summary>Whose jobs it acts on.</summary>
        public string? Tenant { get; set; } = Caller.DefaultTenant;

        /// <summary>What it may do.</summary>
        public string Role { get; set; } = AccessRole.Viewer.WireName();

        /// <summary>After how many days it is refused; null for never.</summary>
        public int? Days { get; set; } = 90;
    }
}
