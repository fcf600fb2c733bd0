using Llava.Dashboard.Security;
using Llava.Ledger.Audit;
using Llava.Ledger.Keys;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.DependencyInjection;

namespace Llava.Dashboard.Pages;

/// <summary>Where an API key, or the link that <c>llava up</c> prints, is exchanged for a cookie.</summary>
[AllowAnonymous]
[EnableRateLimiting(SignInLimit.Name)]
internal sealed class LoginModel(ApiKeys keys, AuditLog audit, PageSession session, IServiceProvider services) : PageModel
{
    private readonly OneTimeLink? _link = services.GetService<OneTimeLink>();

    /// <summary>Where to go afterwards, a path of this site.</summary>
    [BindProperty(SupportsGet = true, Name = "ReturnUrl")]
    public string? ReturnPath { get; set; }

    /// <summary>Whether this process prints a link that works once.</summary>
    public bool HasLink => _link is not null;

    /// <summary>Why the visitor was not let in; null before an attempt.</summary>
    public string? Refusal { get; private set; }

    /// <summary>The form, or, with the link's token, the way in.</summary>
    public async Task<IActionResult> OnGetAsync(string? token)
    {
        if (_link?.TrySpend(token) == true)
        {
            await session.BeginAsync(HttpContext, null);
            return LocalRedirect("/");
        }

        Refusal = token is null ? null : "This link was used already, or is another start's. It works once: start the program again for a new one, or sign in with an API key.";
        // A program that is led here instead of getting what it asked for must not take this page for it.
        Response.StatusCode = HasLink ? StatusCodes.Status401Unauthorized : StatusCodes.Status200OK;
        return Page();
    }

    /// <summary>Lets in whoever shows a key that opens.</summary>
    public async Task<IActionResult> OnPostAsync(string? key, CancellationToken cancellation)
    {
        var verdict = await keys.VerifyAsync((key ?? "").Trim(), cancellation);
        if (verdict is { Standing: KeyStanding.Valid, Key: { } valid })
        {
            await session.BeginAsync(HttpContext, valid);
            return LocalRedirect(Url.IsLocalUrl(ReturnPath) ? ReturnPath : "/");
        }

        if (verdict.Key is { } known)
        {
            await audit.AppendAsync(AuditActions.SignInRefused, known.Tenant, $"key:{known.Id}", new() { ["standing"] = verdict.Standing.ToString().ToLowerInvariant() }, cancellation);
        }

        Refusal = verdict.Standing switch
        {
            KeyStanding.Expired => "This key has expired; ask for a new one.",
            KeyStanding.Revoked => "This key was revoked; ask for a new one.",
            _ => "This key is not known here. Check that all of it was copied, and that it was made for this server.",
        };
        Response.StatusCode = StatusCodes.Status401Unauthorized;
        return Page();
    }
}
