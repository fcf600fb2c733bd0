using Llava.Dashboard.Api;
using Llava.Ledger.Keys;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc.ApplicationModels;
using Microsoft.Extensions.DependencyInjection;

namespace Llava.Dashboard.Security;

/// <summary>Who may open a page: a policy per role for whoever signed in. Which role a page is for, its <see cref="PageRolesAttribute"/> says.</summary>
internal static class PageAccess
{
    /// <summary>Policy of the pages that everybody who signed in may read.</summary>
    public const string Viewer = "page-viewer";

    /// <summary>Policy of the pages for operators and admins.</summary>
    public const string Operator = "page-operator";

    /// <summary>Policy of the pages for admins.</summary>
    public const string Admin = "page-admin";

    /// <summary>Gives a page the policy of the role that it is for.</summary>
    public static void NamePolicy(PageApplicationModel page)
    {
        if (page.ModelType?.IsDefined(typeof(AllowAnonymousAttribute), inherit: true) != true)
        {
            page.EndpointMetadata.Add(new AuthorizeAttribute(PageRolesAttribute.Of(page.ModelType).Read switch
            {
                AccessRole.Viewer => Viewer,
                AccessRole.Operator => Operator,
                _ => Admin,
            }));
        }
    }

    public static void AddPageAccess(this IServiceCollection services)
    {
        var authorization = services.AddAuthorizationBuilder()
            // Every route names its policy. One that forgot to is nobody's but the admins'.
            .SetFallbackPolicy(Require(new AuthorizationPolicyBuilder(), AccessRole.Admin).Build());
        foreach (var (name, role) in ((string, AccessRole)[])[(Viewer, AccessRole.Viewer), (Operator, AccessRole.Operator), (Admin, AccessRole.Admin)])
        {
            authorization.AddPolicy(name, policy => Require(policy, role));
        }
    }

    private static AuthorizationPolicyBuilder Require(AuthorizationPolicyBuilder policy, AccessRole role) => policy
        .AddAuthenticationSchemes(CookieAuthenticationDefaults.AuthenticationScheme)
        .RequireAuthenticatedUser()
        .RequireAssertion(context => Caller.Of(context.User).Role >= role);
}
