using Llava.Dashboard.Api;
using Llava.Ledger.Keys;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.HostFiltering;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Llava.Dashboard.Security;

/// <summary>Puts the door into the dashboard's host (docs/security.md).</summary>
public static class SecurityHosting
{
    /// <summary>Lets whoever opens a link that works once act as an admin: for a process that prints it on its owner's terminal.</summary>
    public static IServiceCollection AddOneTimeLink(this IServiceCollection services) => services.AddSingleton<OneTimeLink>();

    /// <summary>Asks for at least this role, shown by a key or by the pages' cookie.</summary>
    public static TBuilder RequireAccess<TBuilder>(this TBuilder endpoints, AccessRole role)
        where TBuilder : IEndpointConventionBuilder => ApiAccess.RequireRole(endpoints, role);

    internal static void AddSecurity(this IServiceCollection services)
    {
        services.AddSingleton<IValidateOptions<SignInOptions>, SignInOptionsRanges>();
        services.AddOptions<SignInOptions>().BindConfiguration(SignInOptions.SectionName).ValidateOnStart();
        services.AddDataProtection();
        services.AddSingleton(provider => CookieKeys.Open(provider.GetRequiredService<IOptions<SignInOptions>>().Value.KeysFolder, provider.GetRequiredService<ILoggerFactory>()));
        services.AddSingleton<PageSession>();
        services.AddSingleton<OpenRequests>();
        services.AddHostedService(provider => provider.GetRequiredService<OpenRequests>());
        services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie(PageSession.Configure);
        services.AddPageAccess();
        services.Configure<AntiforgeryOptions>(options =>
        {
            options.Cookie = new GuardedCookie("llava-form");
            options.SuppressXFrameOptionsHeader = true; // SecurityHeaders sets a stricter one
        });
        services.Configure<CookieTempDataProviderOptions>(options => options.Cookie = new GuardedCookie("llava-said"));
        // A page elsewhere that points its own name at 127.0.0.1 (DNS rebinding) is refused by the host it sends.
        services.Configure<HostFilteringOptions>(options => options.AllowedHosts = ["localhost", "127.0.0.1", "[::1]"]);
    }

    internal static void UseSecurity(this IApplicationBuilder app)
    {
        app.UseAuthentication();
        app.UseActingCaller();
        app.UseAuthorization();
        app.UseRateLimiter();
        OpenRequests.Use(app);
    }
}
