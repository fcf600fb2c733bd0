using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Llava.Hosting.Health;

/// <summary><c>/alive</c>: the process lives. <c>/health</c>: it is ready to work, and if not, what it waits for.</summary>
public static class HealthEndpoints
{
    /// <summary>Tag of the checks that <c>/health</c> asks; MassTransit's own carries it too.</summary>
    public const string ReadyTag = "ready";

    /// <summary>Adds a check that must pass before the process counts as ready.</summary>
    /// <param name="services">The container.</param>
    /// <param name="name">Name of what is checked.</param>
    /// <param name="check">Throws, or returns false, when it is not ready.</param>
    public static IServiceCollection AddReadyCheck(this IServiceCollection services, string name, Func<IServiceProvider, CancellationToken, Task<bool>> check)
    {
        HealthCheckRegistration registration = new(name, provider => new ReadyCheck(cancellation => check(provider, cancellation)), HealthStatus.Unhealthy, [ReadyTag]);
        services.AddHealthChecks();
        services.Configure<HealthCheckServiceOptions>(options =>
        {
            // Several roles of one process need the same things.
            if (options.Registrations.All(other => other.Name != name))
            {
                options.Registrations.Add(registration);
            }
        });
        return services;
    }

    /// <summary>
    /// Maps both endpoints. Whoever may reach them learns which dependency is ready and how long it took to say so, and nothing else:
    /// what a check throws may name hosts and users, and goes to the log.
    /// </summary>
    public static void MapLlavaHealth(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapHealthChecks("/alive", new HealthCheckOptions { Predicate = _ => false }).AllowAnonymous();
        endpoints.MapHealthChecks("/health", new HealthCheckOptions { Predicate = check => check.Tags.Contains(ReadyTag), ResponseWriter = WriteAsync }).AllowAnonymous();
    }

    private static Task WriteAsync(HttpContext context, HealthReport report) => context.Response.WriteAsJsonAsync(new
    {
        status = Word(report.Status),
        checks = report.Entries.ToDictionary(entry => entry.Key, entry => new { status = Word(entry.Value.Status), duration_ms = Math.Round(entry.Value.Duration.TotalMilliseconds, 1) }),
    });

    private static string Word(HealthStatus status) => status.ToString().ToLowerInvariant();

    private sealed class ReadyCheck(Func<CancellationToken, Task<bool>> check) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
            await check(cancellationToken) ? HealthCheckResult.Healthy() : new(context.Registration.FailureStatus);
    }
}
