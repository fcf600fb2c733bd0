using Llava.Dashboard.Security;
using Llava.Ledger.Keys;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Llava.Dashboard.Pages;

/// <summary>Where the button “Sign out” leads.</summary>
[PageRoles(AccessRole.Viewer, AccessRole.Viewer)]
internal sealed class LogoutModel(PageSession session) : PageModel
{
    /// <summary>Reading changes nothing.</summary>
    public IActionResult OnGet() => LocalRedirect("/");

    /// <summary>Signs out, also where a copy of the cookie is, and ends what is open.</summary>
    public async Task<IActionResult> OnPostAsync()
    {
        await session.EndAsync(HttpContext);
        return LocalRedirect("/login");
    }
}
