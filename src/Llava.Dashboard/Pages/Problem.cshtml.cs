using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace Llava.Dashboard.Pages;

/// <summary>What a person reads where a page is refused or is not there; programs get the bare status.</summary>
[AllowAnonymous]
[IgnoreAntiforgeryToken]
public sealed class ProblemModel : PageModel
{
    /// <summary>The status of the answer.</summary>
    public int Status { get; private set; }

    /// <summary>What happened.</summary>
    public string Heading => Status switch
    {
        400 => "That form is out of date",
        403 => "Not with your role",
        404 => "Not here",
        413 => "Too long",
        _ => "That did not work",
    };

    /// <summary>What to do next.</summary>
    public string Advice => Status switch
    {
        400 => "Open the page again and send the form once more.",
        403 => "Sign in with a key of a higher role to do this.",
        404 => "There is no such page or thing, or it is another tenant's.",
        413 => "What was sent is longer than is taken here; send long files through the API.",
        _ => "Try again; the server's log has the reason.",
    };

    /// <summary>The page.</summary>
    public void OnGet(int status) => Status = status;

    /// <summary>The same for a form.</summary>
    public void OnPost(int status) => Status = status;
}
