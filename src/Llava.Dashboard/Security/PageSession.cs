using System.Security.Claims;
using Llava.Dashboard.Api;
using Llava.Dashboard.Live;
using Llava.Ledger.Keys;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Llava.Dashboard.Security;

/// <summary>Signs people in and out on the pages. The cookie names a sign-in of the ledger, which is asked at every request whether it still holds.</summary>
internal sealed class PageSession(SignIns signIns, LiveReaders readers, IOptions<SignInOptions> options)
{
    /// <summary>The claim that carries the sign-in's id.</summary>
    public const string IdClaim = "sign_in";

    private const string Scheme = CookieAuthenticationDefaults.AuthenticationScheme;

    /// <summary>How the pages' cookie is made and judged.</summary>
    public static void Configure(CookieAuthenticationOptions cookies)
    {
        cookies.Cookie = new GuardedCookie("llava");
        cookies.LoginPath = "/login";
        cookies.SlidingExpiration = false;
        cookies.Events.OnValidatePrincipal = ValidateAsync;
        cookies.Events.OnRedirectToLogin = ChallengeAsync;
        cookies.Events.OnRedirectToAccessDenied = context =>
        {
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
            return Task.CompletedTask;
        };
    }

    /// <summary>Signs in whoever showed a key, or opened the one-time link. A sign-in that the browser had before ends, so that nobody can have planted it.</summary>
    public async Task BeginAsync(HttpContext context, ApiKey? key)
    {
        await EndAsync(context);
        var lifetime = options.Value.Lifetime;
        var tenant = key?.Tenant ?? Caller.DefaultTenant;
        var id = await signIns.BeginAsync(key, tenant, lifetime, context.RequestAborted);
        IEnumerable<Claim> claims = key is null ? [new(ClaimTypes.Name, "owner"), Caller.RoleClaim(AccessRole.Admin)] : [new(ClaimTypes.Name, key.Name), .. Caller.Claims(key)];
        ClaimsPrincipal user = new(new ClaimsIdentity([.. claims, new(IdClaim, id)], Scheme));
        await context.SignInAsync(Scheme, user, new() { IsPersistent = false, ExpiresUtc = DateTimeOffset.UtcNow + lifetime });
    }

    /// <summary>Signs out, here and wherever a copy of the cookie is.</summary>
    public async Task EndAsync(HttpContext context)
    {
        if (context.User.FindFirstValue(IdClaim) is { } id)
        {
            await signIns.EndAsync(id, Caller.Of(context.User).Tenant, context.RequestAborted);
            await context.SignOutAsync(Scheme);
            readers.CloseAll(Caller.Of(context.User).Id);
        }
    }

    private static async Task ValidateAsync(CookieValidatePrincipalContext context)
    {
        var signIns = context.HttpContext.RequestServices.GetRequiredService<SignIns>();
        if (context.Principal?.FindFirstValue(IdClaim) is not { } id || !await signIns.HoldsAsync(id, context.HttpContext.RequestAborted))
        {
            context.RejectPrincipal();
        }
    }

    /// <summary>A person is led to the login; a script of the pages is told to go there, and a stream ends.</summary>
    private static Task ChallengeAsync(RedirectContext<CookieAuthenticationOptions> context)
    {
        var isStream = context.Request.Headers.Accept.ToString().Contains("text/event-stream", StringComparison.Ordinal);
        if (context.Request.Headers.ContainsKey("HX-Request") || isStream)
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            context.Response.Headers["HX-Redirect"] = "/login";
        }
        else
        {
            context.Response.Redirect(context.RedirectUri);
        }

        return Task.CompletedTask;
    }
}
