using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Llava.Hosting.Health;

/// <summary><c>/alive</c>: the process lives. <c>/health</c>: it is ready to work.</summary>
public static class HealthEndpoints
{
    /// <summary>Tag of the checks that <c>/health</c> asks; MassTransit's own carries it too.</summary>
    public const string ReadyTag = "ready";

    /// <summary>Adds a check that must pass before the process counts as ready.</summary>
    /// <param name="services">The container.</param>
    /// <param name="name">Name of what is checked.</param>
    /// <param name="check">Throws, or returns false, when it is not ready.</param>
    public static IServiceCollection AddReadyCheck(this IServiceCollection services, string name, Func<IServiceProvider, CancellationToken, Task<bool>> check) =>
        services.AddReadyCheck(name, async (provider, cancellation) => await check(provider, cancellation) ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy());

    /// <summary>Adds a check that says more than ready or not; everybody who may ask for <c>/health</c> reads what it says.</summary>
    /// <param name="services">The container.</param>
    /// <param name="name">Name of what is checked.</param>
    /// <param name="check">Throws, or returns unhealthy, when it is not ready.</param>
    public static IServiceCollection AddReadyCheck(this IServiceCollection services, string name, Func<IServiceProvider, CancellationToken, Task<HealthCheckResult>> check)
    {
        HealthCheckRegistration registration = new(name, provider => new ReadyCheck(cancellation => check(provider, cancellation)), HealthStatus.Unhealthy, [ReadyTag, HealthJson.DetailsTag]);
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

    /// <summary>Maps both endpoints. <c>/health</c> answers 200 when healthy or degraded, 503 otherwise, with <see cref="HealthJson"/>.</summary>
    public static void MapLlavaHealth(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapHealthChecks("/alive", new HealthCheckOptions { Predicate = _ => false }).AllowAnonymous();
        endpoints.MapHealthChecks("/health", new HealthCheckOptions { Predicate = check => check.Tags.Contains(ReadyTag), ResponseWriter = HealthJson.WriteAsync }).AllowAnonymous();
    }

    private sealed class ReadyCheck(Func<CancellationToken, Task<HealthCheckResult>> check) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => check(cancellationToken);
    }
}
