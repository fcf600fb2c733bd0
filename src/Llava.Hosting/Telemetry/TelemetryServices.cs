using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Llava.Hosting.Telemetry;

/// <summary>Collects metrics and, where a collector is named, traces. What is reported by whom stands in docs/operations.md.</summary>
public static class TelemetryServices
{
    /// <summary>Where Prometheus asks.</summary>
    public const string MetricsPath = "/metrics";

    /// <summary>The setting that names a collector, as OpenTelemetry calls it.</summary>
    public const string CollectorSetting = "OTEL_EXPORTER_OTLP_ENDPOINT";

    // Ours, the bus's, and what the process takes. Npgsql's are left out: they carry the connection string as a label.
    private static readonly string[] Meters = ["Llava.*", "MassTransit", "System.Runtime", "Microsoft.AspNetCore.Hosting"];
    private static readonly string[] Sources = ["Llava.*", "MassTransit"];

    /// <summary>
    /// Adds metrics, to be asked for at <see cref="MetricsPath"/>, and their export with traces to the collector that
    /// <see cref="CollectorSetting"/> names. Without a collector nobody listens to traces and no span is made.
    /// </summary>
    /// <param name="services">The container.</param>
    /// <param name="configuration">Where the settings stand, OpenTelemetry's own <c>OTEL_…</c> included.</param>
    /// <param name="role">What the process does; its service is called <c>llava-</c> and this.</param>
    public static IServiceCollection AddLlavaTelemetry(this IServiceCollection services, IConfiguration configuration, string role)
    {
        var hasCollector = HasCollector(configuration);
        var telemetry = services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService($"llava-{role}", serviceVersion: Version).AddEnvironmentVariableDetector())
            .WithMetrics(metrics =>
            {
                metrics.AddMeter(Meters).AddPrometheusExporter();
                _ = hasCollector ? metrics.AddOtlpExporter() : metrics;
            });
        if (hasCollector)
        {
            telemetry.WithTracing(traces => traces
                .AddSource(Sources)
                .AddAspNetCoreInstrumentation(http => http.Filter = context => !IsProbe(context.Request.Path))
                .AddOtlpExporter());
        }

        return services;
    }

    /// <summary>Whether a collector is named.</summary>
    public static bool HasCollector(IConfiguration configuration) => !string.IsNullOrEmpty(configuration[CollectorSetting]);

    /// <summary>
    /// Answers <see cref="MetricsPath"/>. Where pages are served too, the host asks for a role; a port of its
    /// own, which no browser needs to reach, answers nothing else and asks nothing.
    /// </summary>
    /// <param name="app">The process; call it before what else it serves is mapped.</param>
    /// <param name="port">A further port that it listens on; 0 for none.</param>
    /// <returns>The endpoint beside the pages, for its policy.</returns>
    public static IEndpointConventionBuilder MapLlavaMetrics(this WebApplication app, int port)
    {
        if (port != 0)
        {
            // By the port that was really connected to: the Host header says whatever the caller likes.
            app.MapWhen(context => context.Connection.LocalPort == port, metrics => metrics
                .UseOpenTelemetryPrometheusScrapingEndpoint(MetricsPath)
                .Run(context =>
                {
                    context.Response.StatusCode = StatusCodes.Status404NotFound;
                    return Task.CompletedTask;
                }));
        }

        return app.MapPrometheusScrapingEndpoint(MetricsPath);
    }

    private static string Version => typeof(TelemetryServices).Assembly.GetName().Version!.ToString(3);

    private static bool IsProbe(PathString path) => path == MetricsPath || path == "/alive" || path == "/health";
}
