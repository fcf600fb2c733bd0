using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Llava.Testing;

/// <summary>One logger factory for every container of a test process.</summary>
public static class LoggingOfAProcess
{
    /// <summary>
    /// Replaces the container's logger factory with one that outlives it. Hangfire keeps the factory of the container that was built
    /// last in a static field: with factories of their own, a test that ends takes the logger from a test that still runs.
    /// </summary>
    public static IServiceCollection AddLoggingOfTheProcess(this IServiceCollection services) => services.AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance);
}
