using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.GpuConsumer.Models;
using Llava.Hosting.Telemetry;
using Llava.Ledger;
using Llava.Ledger.Jobs;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Llava.Cli.Embedded;

/// <summary>The embedded mode without pages: runs until the command that started it has what it wants.</summary>
internal sealed class EmbeddedHost : IAsyncDisposable
{
    private readonly IHost _host;

    private EmbeddedHost(IHost host) => _host = host;

    public IServiceProvider Services => _host.Services;

    /// <summary>Starts everything. Unfinished jobs of the ledger are worked on too where they ask for the same model.</summary>
    /// <param name="dataFolder">Folder of the ledger.</param>
    /// <param name="request">What is to be done.</param>
    /// <param name="settings">What goes before the environment's settings.</param>
    /// <param name="cancellationToken">Stops the start.</param>
    public static async Task<EmbeddedHost> StartAsync(string dataFolder, JobRequest request, IEnumerable<KeyValuePair<string, string?>> settings, CancellationToken cancellationToken)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { ApplicationName = "llava" });
        // Whoever presses Ctrl+C wants the prompt back; what is put down is taken up again by the next command.
        builder.Configuration.AddInMemoryCollection([new("Llava:Transport:Drain", "00:00:02")]).AddEnvironmentVariables().AddInMemoryCollection(settings);
        builder.Logging.AddWarningsToStandardError();
        if (TelemetryServices.HasCollector(builder.Configuration))
        {
            builder.Services.AddLlavaTelemetry(builder.Configuration, "embedded");
        }

        builder.AddEmbedded(dataFolder, [request, .. await UnfinishedAsync(dataFolder, cancellationToken)], [request.Model]);
        var host = builder.Build();
        try
        {
            await host.Services.GetRequiredService<LedgerSetup>().PrepareAsync();
            await host.StartAsync(cancellationToken);
            // A model that cannot be loaded must end the command, not leave it waiting for a worker that never gets ready.
            using var loaded = await host.Services.GetRequiredService<ModelPool>().UseAsync(request.Model, cancellationToken);
            return new EmbeddedHost(host);
        }
        catch
        {
            await ((IAsyncDisposable)host).DisposeAsync();
            throw;
        }
    }

    /// <summary>What the jobs that are not over ask for.</summary>
    public static async Task<IReadOnlyList<JobRequest>> UnfinishedAsync(string dataFolder, CancellationToken cancellationToken)
    {
        await using var ledger = await EmbeddedLedger.OpenAsync(dataFolder, cancellationToken);
        var jobs = await ledger.Jobs.ListAsync(new JobFilter { Limit = int.MaxValue }, cancellationToken);
        return [.. jobs.Where(job => !JobStates.Table.IsFinal(job.State)).Select(job => job.Request)];
    }

    /// <summary>What the schedules that are not paused will ask for.</summary>
    public static async Task<IReadOnlyList<JobRequest>> ScheduledAsync(string dataFolder, CancellationToken cancellationToken)
    {
        await using var ledger = await EmbeddedLedger.OpenAsync(dataFolder, cancellationToken);
        return [.. (await ledger.Schedules.ListAsync(null, cancellationToken)).Where(schedule => schedule.IsEnabled).Select(schedule => schedule.Definition.Request).OfType<JobRequest>()];
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        await ((IAsyncDisposable)_host).DisposeAsync();
    }
}

/// <summary>Warnings and errors on standard error, one line each; standard output belongs to results.</summary>
internal static class CommandLogging
{
    public static void AddWarningsToStandardError(this ILoggingBuilder logging) => logging
        .SetMinimumLevel(LogLevel.Warning)
        .AddSimpleConsole(options => options.SingleLine = true)
        .Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(options => options.LogToStandardErrorThreshold = LogLevel.Trace);
}
