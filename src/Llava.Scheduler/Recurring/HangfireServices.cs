using Hangfire;
using Hangfire.InMemory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Llava.Scheduler.Recurring;

/// <summary>Puts Hangfire, the clock for housekeeping, into a container. It only calls verbs of the ledger that return within seconds.</summary>
public static class HangfireServices
{
    /// <summary>Adds Hangfire with its store in memory, its server, and the recurring tasks. Needs the ledger and the scheduler.</summary>
    public static IServiceCollection AddLlavaHangfire(this IServiceCollection services)
    {
        services.AddHangfire(hangfire => hangfire
            .SetDataCompatibilityLevel(CompatibilityLevel.Version_180)
            .UseSimpleAssemblyNameTypeSerializer()
            .UseRecommendedSerializerSettings()
            .UseInMemoryStorage(new InMemoryStorageOptions { MaxExpirationTime = TimeSpan.FromHours(3) })
            .UseFilter(new AutomaticRetryAttribute { Attempts = 3, DelaysInSeconds = [1, 5, 15] }));
        services.AddHangfireServer(server =>
        {
            server.WorkerCount = 2;
            server.ShutdownTimeout = TimeSpan.FromSeconds(5);
        });
        services.AddTransient<SweepTask>();
        services.AddTransient<RetentionTask>();
        services.AddHostedService<RecurringSchedule>();
        return services;
    }

    private sealed class RecurringSchedule(IRecurringJobManager recurring) : IHostedService
    {
        private static readonly RecurringJobOptions Utc = new() { TimeZone = TimeZoneInfo.Utc };

        public Task StartAsync(CancellationToken cancellationToken)
        {
            recurring.AddOrUpdate<SweepTask>(SweepTask.Id, task => task.RunAsync(CancellationToken.None), Cron.Minutely(), Utc);
            recurring.AddOrUpdate<RetentionTask>(RetentionTask.Id, task => task.RunAsync(CancellationToken.None), Cron.Daily(3), Utc);
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
