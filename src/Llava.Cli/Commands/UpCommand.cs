using System.CommandLine;
using System.Net;
using Llava.Cli.Embedded;
using Llava.Cli.Estimates;
using Llava.Cli.Jobs;
using Llava.Cli.Service;
using Llava.Dashboard;
using Llava.Dashboard.Estimates;
using Llava.Dashboard.Jobs;
using Llava.Dashboard.Models;
using Llava.Dashboard.Security;
using Llava.Hosting.Health;
using Llava.Hosting.Telemetry;
using Llava.Ledger;
using Llava.Ledger.Keys;
using Llava.Scheduler.Recurring;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Llava.Cli.Commands;

/// <summary><c>llava up</c>: the embedded mode with its pages, until it is stopped.</summary>
internal static class UpCommand
{
    private const int DefaultPort = 5080;

    public static Command Create()
    {
        var port = new Option<int>("--port") { Description = "Port on this machine; 0 takes a free one.", DefaultValueFactory = _ => DefaultPort };
        var models = new Option<string[]>("--model") { Description = "Models to serve. Default: the one that ships and those that unfinished jobs and schedules ask for.", AllowMultipleArgumentsPerToken = true };
        var data = JobOptions.DataOption();
        var command = new Command("up", "Show jobs in a browser and work on them, until stopped with Ctrl+C.") { port, models, data };
        EngineArguments engine = new();
        engine.AddTo(command);
        command.SetAction((typed, cancellationToken) => Failures.ReportAsync(() =>
            RunAsync(DataFolder.Resolve(typed.GetValue(data)), typed.GetValue(port), typed.GetValue(models) ?? [], engine.Settings(typed), cancellationToken)));
        return command;
    }

    private static async Task<int> RunAsync(string dataFolder, int port, string[] models, IEnumerable<KeyValuePair<string, string?>> settings, CancellationToken cancellationToken)
    {
        var unfinished = await EmbeddedHost.UnfinishedAsync(dataFolder, cancellationToken);
        var scheduled = await EmbeddedHost.ScheduledAsync(dataFolder, cancellationToken);
        var served = models.Length > 0 ? models.Select(model => ModelFolders.NameForJobs(model, dataFolder)) : [ModelFolders.NameForJobs(JobOptions.DefaultModel), .. unfinished.Concat(scheduled).Select(job => job.Model)];
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.AddEnvironmentVariables().AddInMemoryCollection(settings);
        builder.Logging.AddWarningsToStandardError();
        var metricsPort = builder.Configuration.GetSection(HttpOptions.SectionName).Get<HttpOptions>()?.MetricsPort ?? 0;
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, port);
            if (metricsPort != 0)
            {
                kestrel.Listen(IPAddress.Loopback, metricsPort);
            }
        });
        builder.AddTraining();
        builder.AddEmbedded(dataFolder, unfinished, served.Distinct());
        builder.Services.AddLlavaTelemetry(builder.Configuration, "up");
        builder.Services.AddReadyCheck("ledger", (provider, token) => provider.GetRequiredService<LedgerSetup>().IsReachableAsync(token));
        builder.Services.AddLlavaHangfire();
        builder.Services.AddLlavaDashboard().AddOneTimeLink().AddSingleton<IThumbnails, Thumbnails>().AddSingleton<IModelFolder, FolderModels>().AddSingleton<IJobExports, Exports>().AddSingleton<IJobSurvey, JobSurvey>();
        await using var app = builder.Build();
        app.MapLlavaMetrics(metricsPort).RequireAccess(AccessRole.Viewer);
        app.MapLlavaDashboard();
        app.MapLlavaHealth();
        await app.Services.GetRequiredService<LedgerSetup>().PrepareAsync();
        await app.StartAsync(cancellationToken);
        Console.WriteLine($"Open {app.Urls.First()}{app.Services.GetRequiredService<OneTimeLink>().Path}");
        Console.WriteLine("The link works once. Stop with Ctrl+C.");
        await app.WaitForShutdownAsync(cancellationToken);
        return ExitCodes.Ok;
    }
}
