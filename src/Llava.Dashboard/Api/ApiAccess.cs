using Llava.Ledger.Keys;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Llava.Dashboard.Api;

/// <summary>
/// Who may use what: a key or the pages' cookie says who, a policy per role says what. A browser sends its cookie along with any
/// site's request, so whoever comes by cookie must also show the pages' antiforgery token to change something.
/// </summary>
internal static class ApiAccess
{
    /// <summary>Takes a key where one is shown, and the cookie otherwise.</summary>
    public const string Scheme = "Api";

    /// <summary>How names of policies of roles begin.</summary>
    public const string PolicyPrefix = "api-";

    private const string TokenHeader = "RequestVerificationToken";

    /// <summary>Name of the policy that asks for at least this role.</summary>
    public static string Policy(AccessRole role) => PolicyPrefix + role.WireName();

    public static void AddApiAccess(this IServiceCollection services)
    {
        services.AddAuthentication()
            .AddScheme<AuthenticationSchemeOptions, ApiKeyAuthentication>(ApiKeyAuthentication.Name, null)
            .AddPolicyScheme(Scheme, null, options =>
            {
                options.ForwardDefaultSelector = context => context.Request.Headers.Authorization.Count > 0 ? ApiKeyAuthentication.Name : CookieAuthenticationDefaults.AuthenticationScheme;
                // A program is told with a status what a browser would be told with a page.
                options.ForwardChallenge = ApiKeyAuthentication.Name;
                options.ForwardForbid = ApiKeyAuthentication.Name;
            });
        var authorization = services.AddAuthorizationBuilder();
        foreach (var role in Enum.GetValues<AccessRole>())
        {
            authorization.AddPolicy(Policy(role), policy => policy
                .AddAuthenticationSchemes(Scheme)
                .RequireAuthenticatedUser()
                .RequireAssertion(context => Caller.Of(context.User).Role >= role));
        }
    }

    /// <summary>Asks for at least this role.</summary>
    public static TBuilder RequireRole<TBuilder>(this TBuilder endpoints, AccessRole role)
        where TBuilder : IEndpointConventionBuilder => endpoints.RequireAuthorization(Policy(role));

    /// <summary>Refuses to change anything for a cookie alone.</summary>
    public static async ValueTask<object?> RequireTokenBesideCookieAsync(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        var context = invocation.HttpContext;
        var isByKey = context.User.Identity?.AuthenticationType == ApiKeyAuthentication.Name;
        var changesNothing = HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method);
        // Without the header the token would be looked for in a form, which would be read to its end for that.
        var hasToken = context.Request.Headers.ContainsKey(TokenHeader);
        if (!isByKey && !changesNothing && !(hasToken && await context.RequestServices.GetRequiredService<IAntiforgery>().IsRequestValidAsync(context)))
        {
            throw new ApiException(StatusCodes.Status403Forbidden, "antiforgery_token_missing",
                $"A change that comes with the pages' cookie needs their antiforgery token in the header {TokenHeader}; programs use an API key instead.");
        }

        return await next(invocation);
    }
}
