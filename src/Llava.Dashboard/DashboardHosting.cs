using Llava.Dashboard.Alarms;
using Llava.Dashboard.Api;
using Llava.Dashboard.Consumers;
using Llava.Dashboard.Estimates;
using Llava.Dashboard.Jobs;
using Llava.Dashboard.Live;
using Llava.Dashboard.Models;
using Llava.Dashboard.Navigation;
using Llava.Dashboard.OpenAi;
using Llava.Dashboard.OpenApi;
using Llava.Dashboard.Overview;
using Llava.Dashboard.Playground;
using Llava.Dashboard.Recurring;
using Llava.Dashboard.Reviews;
using Llava.Dashboard.Security;
using Llava.Dashboard.Training;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Llava.Dashboard;

/// <summary>Puts the pages into a host: everything is refused to whoever has not signed in.</summary>
public static class DashboardHosting
{
    private const long LongestForm = 1 << 20;

    /// <summary>Adds the pages' services. The host also registers an <see cref="IThumbnails"/> and the ledger and, where it has them, its <see cref="IModelFolder"/> and its <see cref="IJobSurvey"/> and, for more formats than the API's own, an <see cref="IJobExports"/>.</summary>
    public static IServiceCollection AddLlavaDashboard(this IServiceCollection services)
    {
        services.AddRazorPages(options => options.Conventions.AddFolderApplicationModelConvention("/", PageAccess.NamePolicy))
            .AddApplicationPart(typeof(DashboardHosting).Assembly)
            .AddMvcOptions(options => options.Filters.Add<PageRoleFilter>());
        services.AddSecurity();
        services.AddSingleton<SiteMap>();
        services.AddHealthChecks();
        services.AddLive();
        services.AddSingleton<BrokerProbe>();
        services.AddSingleton<SystemWatch>();
        services.AddSingleton<LiveSource, AlarmsLive>();
        services.AddSingleton<LiveSource, JobsLive>();
        services.AddSingleton<JobDetailsReader>();
        services.AddSingleton<AgreementReader>();
        services.AddSingleton<LiveSource, JobLive>();
        services.AddSingleton<LiveSource, ProgressLive>();
        services.AddSingleton<TrainingFiles>();
        services.TryAddSingleton<IJobExports, DocumentExport>();
        services.TryAddSingleton<IJobSurvey, NoJobSurvey>();
        services.AddSingleton<RecentWork>();
        services.AddSingleton<OverviewReader>();
        services.AddSingleton<LiveSource, OverviewLive>();
        services.AddSingleton<LiveSource, ConsumersLive>();
        services.AddTrainingPages();
        services.TryAddSingleton<IModelFolder, NoModelFolder>();
        services.AddSingleton<ModelRegistry>();
        services.AddSingleton<JobFigures>();
        services.AddPlayground();
        services.AddLlavaApi();
        services.AddLlavaOpenAi();
        services.AddOpenApiDocument();
        return services;
    }

    /// <summary>Maps the pages, their assets, thumbnails, the HTTP APIs with their OpenAPI document, and Hangfire's dashboard.</summary>
    public static void MapLlavaDashboard(this WebApplication app)
    {
        app.UseHostFiltering();
        app.UseSecurityHeaders();
        app.UseProblemPages();
        app.UseApiErrors();
        app.UseOpenAiErrors();
        app.UseSecurity();
        app.MapAssets();
        app.MapThumbnails();
        app.MapExport();
        app.MapEvents();
        app.MapRazorPages().WithMetadata(new RequestSizeLimitAttribute(LongestForm));
        app.MapLlavaApi();
        app.MapLlavaOpenAi();
        app.MapOpenApiDocument();
        app.MapHangfirePages();
    }
}
