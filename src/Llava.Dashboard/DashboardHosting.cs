using Llava.Dashboard.Api;
using Llava.Dashboard.Jobs;
using Llava.Dashboard.OpenAi;
using Llava.Dashboard.Recurring;
using Llava.Dashboard.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.DependencyInjection;

namespace Llava.Dashboard;

/// <summary>Puts the pages into a host: everything is refused to whoever has not signed in.</summary>
public static class DashboardHosting
{
    private const long LongestForm = 1 << 20;

    /// <summary>Adds the pages' services. The host also registers an <see cref="IThumbnails"/> and the ledger.</summary>
    public static IServiceCollection AddLlavaDashboard(this IServiceCollection services)
    {
        services.AddRazorPages(options => options.Conventions.AuthorizeFolder("/", PageAccess.Viewer))
            .AddMvcOptions(options => options.Filters.Add(new ActionsNeedOperators()))
            .AddApplicationPart(typeof(DashboardHosting).Assembly);
        services.AddSecurity();
        services.AddLlavaApi();
        services.AddLlavaOpenAi();
        services.AddSingleton<JobFigures>();
        return services;
    }

    /// <summary>Maps the pages, their assets, thumbnails, the HTTP APIs and Hangfire's dashboard.</summary>
    public static void MapLlavaDashboard(this WebApplication app)
    {
        app.UseHostFiltering();
        app.UseSecurityHeaders();
        app.UseApiErrors();
        app.UseOpenAiErrors();
        app.UseSecurity();
        app.MapAssets();
        app.MapThumbnails();
        app.MapRazorPages().WithMetadata(new RequestSizeLimitAttribute(LongestForm));
        app.MapLlavaApi();
        app.MapLlavaOpenAi();
        app.MapHangfirePages();
    }
}
