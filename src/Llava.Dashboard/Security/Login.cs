using System.Security.Claims;
using Llava.Dashboard.Api;
using Llava.Ledger.Keys;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Llava.Dashboard.Security;

/// <summary>Where the one-time link leads.</summary>
internal static class Login
{
    public static void MapLogin(this IEndpointRouteBuilder routes) => routes.MapGet("/login", async (HttpContext context, OneTimeLink link, string? token) =>
    {
        if (!link.TrySpend(token))
        {
            return Results.Text("Open the link that this program printed when it started; it works once. Start it again for a new one.\n", statusCode: StatusCodes.Status401Unauthorized);
        }

        var identity = new ClaimsIdentity([new Claim(ClaimTypes.Name, "owner"), Caller.RoleClaim(AccessRole.Admin)], CookieAuthenticationDefaults.AuthenticationScheme);
        await context.SignInAsync(new ClaimsPrincipal(identity));
        return Results.LocalRedirect("~/");
    }).AllowAnonymous();
}
