using Hangfire;
using Hangfire.Dashboard;
using Llava.Dashboard.Alarms;
using Llava.Dashboard.Api;
using Llava.Dashboard.Jobs;
using Llava.Dashboard.Live;
using Llava.Dashboard.Navigation;
using Llava.Dashboard.OpenAi;
using Llava.Dashboard.Playground;
using Llava.Dashboard.Overview;
using Llava.Dashboard.Reviews;
using Llava.Dashboard.Security;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.HostFiltering;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Llava.Dashboard;

/// <summary>Puts the pages into a host: everything is refused to whoever has not signed in.</summary>
public static class DashboardHosting
{
    /// <summary>Adds the pages' services. The host also registers an <see cref="IThumbnails"/> and the ledger and, for more formats than the API's own, an <see cref="IJobExports"/>.</summary>
    public static IServiceCollection AddLlavaDashboard(this IServiceCollection services)
    {
        services.AddSingleton<OneTimeLink>();
        services.AddRazorPages().AddApplicationPart(typeof(DashboardHosting).Assembly).AddMvcOptions(options => options.Filters.Add<PageRoleFilter>());
        services.AddSingleton<SiteMap>();
        services.AddHealthChecks();
        services.AddLive();
        services.AddSingleton<SystemWatch>();
        services.AddSingleton<LiveSource, AlarmsLive>();
        services.AddSingleton<LiveSource, JobsLive>();
        services.AddSingleton<JobDetailsReader>();
        services.AddSingleton<LiveSource, JobLive>();
        services.AddSingleton<LiveSource, ProgressLive>();
        services.AddSingleton<TrainingFiles>();
        services.TryAddSingleton<IJobExports, DocumentExport>();
        services.AddSingleton<RecentWork>();
        services.AddSingleton<OverviewReader>();
        services.AddSingleton<LiveSource, OverviewLive>();
        // The link dies with the process, so the cookies it bought may too; nothing is written to disk.
        services.AddDataProtection().UseEphemeralDataProtectionProvider();
        services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie(options =>
        {
            options.Cookie.Name = "llava";
            options.Cookie.HttpOnly = true;
            options.Cookie.SameSite = SameSiteMode.Strict;
            options.LoginPath = "/login";
        });
        services.AddAuthorizationBuilder().SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build());
        services.AddLlavaApi();
        services.AddLlavaOpenAi();
        services.AddSingleton<IValidateOptions<PlaygroundOptions>, PlaygroundOptionsRanges>();
        services.AddOptions<PlaygroundOptions>().BindConfiguration(PlaygroundOptions.SectionName).ValidateOnStart();
        services.AddSingleton<ConversationLog>();
        // A page elsewhere that points its own name at 127.0.0.1 (DNS rebinding) is refused by the host it sends.
        services.Configure<HostFilteringOptions>(options => options.AllowedHosts = ["localhost", "127.0.0.1", "[::1]"]);
        return services;
    }

    /// <summary>Maps the pages, their assets, thumbnails, the HTTP APIs and Hangfire's dashboard.</summary>
    public static void MapLlavaDashboard(this WebApplication app)
    {
        app.UseHostFiltering();
        app.UseSecurityHeaders();
        app.UseApiErrors();
        app.UseOpenAiErrors();
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseRateLimiter();
        app.MapAssets();
        app.MapLogin();
        app.MapThumbnails();
        app.MapExport();
        app.MapEvents();
        app.MapRazorPages();
        app.MapLlavaApi();
        app.MapLlavaOpenAi();
        app.MapHangfireDashboard("/hangfire", new DashboardOptions
        {
            Authorization = [new SignedIn()],
            AppPath = "/",
            DashboardTitle = "Llava.Batch recurring tasks",
            DisplayStorageConnectionString = false,
        }).RequireAuthorization();
    }

    private sealed class SignedIn : IDashboardAuthorizationFilter
    {
        public bool Authorize(DashboardContext context) => context.GetHttpContext().User.Identity?.IsAuthenticated == true;
    }
}
