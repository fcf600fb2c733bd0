using System.Net;
using Llava.Cli.Embedded;
using Llava.Cli.Estimates;
using Llava.Contracts.Requests;
using Llava.Dashboard;
using Llava.Dashboard.Estimates;
using Llava.Dashboard.Jobs;
using Llava.Dashboard.Models;
using Llava.Dashboard.Security;
using Llava.GpuConsumer;
using Llava.GpuConsumer.Runners;
using Llava.Hosting.Health;
using Llava.Hosting.Telemetry;
using Llava.Hosting.Transport;
using Llava.Ledger;
using Llava.Ledger.Keys;
using Llava.Scheduler;
using Llava.Scheduler.Recurring;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.HostFiltering;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Llava.Cli.Service;

/// <summary>A process of the distributed service: roles chosen on the command line, everything else from the configuration.</summary>
internal static class ServiceHost
{
    /// <summary>Builds the process.</summary>
    /// <param name="roles">What it does.</param>
    /// <param name="models">Models of a consumer, besides those that the configuration names.</param>
    /// <param name="dataFolder">Where this process keeps what the configuration puts nowhere else.</param>
    /// <param name="settings">What goes before the environment's settings.</param>
    public static WebApplication Build(IReadOnlySet<Role> roles, IReadOnlyCollection<string> models, string dataFolder, IEnumerable<KeyValuePair<string, string?>> settings)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.AddEnvironmentVariables().AddInMemoryCollection(settings);
        AddLogging(builder.Logging);
        AddHttp(builder);
        builder.Services.AddLlavaTelemetry(builder.Configuration, string.Join('-', roles.Order().Select(role => role.ToString().ToLowerInvariant())));
        builder.Services.AddLlavaLedger(options => options.BindLedger(builder.Configuration, dataFolder));
        builder.Services.AddSingleton<IAnswerShapeCheck, AnswerShapes>();
        builder.Services.PlaceFiles(dataFolder);
        builder.Services.AddReadyCheck("ledger", (provider, cancellation) => provider.GetRequiredService<LedgerSetup>().IsReachableAsync(cancellation));
        if (roles.Contains(Role.Scheduler))
        {
            builder.Services.AddLlavaScheduler().AddLlavaHangfire();
        }
        else if (roles.Contains(Role.Dashboard))
        {
            builder.Services.AddLlavaHangfireStorage();
        }

        if (roles.Contains(Role.Dashboard) && !roles.Contains(Role.Scheduler))
        {
            builder.Services.AddLlavaSourceSurvey();
        }

        if (roles.Contains(Role.Consumer))
        {
            builder.AddModels(dataFolder);
            builder.Services.AddLlavaConsumer(options => options.Configure(o => models.ToList().ForEach(o.Models.Add)));
            builder.AddTraining();
        }

        if (roles.Contains(Role.Dashboard))
        {
            builder.Services.AddLlavaDashboard().AddSingleton<IThumbnails, Thumbnails>().AddSingleton<IModelFolder, FolderModels>().AddSingleton<IJobExports, Exports>().AddSingleton<IJobSurvey, JobSurvey>();
            builder.Services.AddOptions<SignInOptions>().PostConfigure(options => options.KeysFolder ??= Path.Combine(dataFolder, "dashboard-keys"));
        }

        builder.Services.AddLlavaTransport(builder.Configuration);
        var app = builder.Build();
        var metrics = app.MapLlavaMetrics(app.Services.GetRequiredService<IOptions<HttpOptions>>().Value.MetricsPort);
        if (roles.Contains(Role.Dashboard))
        {
            metrics.RequireAccess(AccessRole.Viewer);
            app.MapLlavaDashboard();
        }

        app.MapLlavaHealth();
        return app;
    }

    /// <summary>Runs the process until it is told to end.</summary>
    public static async Task RunAsync(WebApplication app, CancellationToken cancellation)
    {
        await app.Services.GetRequiredService<LedgerSetup>().PrepareAsync();
        await app.StartAsync(cancellation);
        Console.WriteLine($"Listening on {string.Join(", ", app.Urls)}.");
        await app.WaitForShutdownAsync(cancellation);
    }

    /// <summary>Lines for people at a terminal, JSON with event ids for whatever collects them.</summary>
    private static void AddLogging(ILoggingBuilder logging)
    {
        logging.ClearProviders().AddFilter("Microsoft", LogLevel.Warning).AddFilter("MassTransit", LogLevel.Warning).AddFilter("Hangfire", LogLevel.Warning)
            // Warns that the folder of cookie keys is not encrypted; its rights protect it.
            .AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);
        if (Console.IsOutputRedirected)
        {
            logging.AddLlavaJson();
        }
        else
        {
            logging.AddSimpleConsole(options => options.SingleLine = true);
        }
    }

    private static void AddHttp(WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<IValidateOptions<HttpOptions>, HttpOptionsRanges>();
        builder.Services.AddSingleton<IValidateOptions<HttpOptions>, HttpOptionsRules>();
        builder.Services.AddOptions<HttpOptions>().BindConfiguration(HttpOptions.SectionName).ValidateOnStart();
        builder.Services.AddOptions<HostFilteringOptions>().PostConfigure<IOptions<HttpOptions>>((filter, http) => filter.AllowedHosts = [.. filter.AllowedHosts, .. http.Value.Hosts]);
        builder.WebHost.UseKestrelCore().ConfigureKestrel((_, kestrel) =>
        {
            var http = kestrel.ApplicationServices.GetRequiredService<IOptions<HttpOptions>>().Value;
            kestrel.Listen(IPAddress.Parse(http.Address), http.Port);
            if (http.MetricsPort != 0)
            {
                kestrel.Listen(IPAddress.Parse(http.Address), http.MetricsPort);
            }
        });
    }
}
