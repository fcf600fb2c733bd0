using Hangfire;
using Hangfire.InMemory;
using Hangfire.PostgreSql;
using Llava.Ledger;
using Llava.Ledger.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Llava.Scheduler.Recurring;

/// <summary>Puts Hangfire, the clock for housekeeping, into a container. It only calls verbs of the ledger that return within seconds.</summary>
public static class HangfireServices
{
    private const string Schema = "hangfire";

    /// <summary>
    /// Adds Hangfire's store and nothing that works: what its pages need. The store is the ledger's PostgreSQL database, in a schema of
    /// its own, or else this process's memory. Needs the ledger.
    /// </summary>
    public static IServiceCollection AddLlavaHangfireStorage(this IServiceCollection services) =>
        services.AddHangfire((provider, hangfire) => UseStorageOf(hangfire, provider.GetRequiredService<LedgerOptions>())
            .SetDataCompatibilityLevel(CompatibilityLevel.Version_180)
            .UseSimpleAssemblyNameTypeSerializer()
            .UseRecommendedSerializerSettings()
            .UseFilter(new AutomaticRetryAttribute { Attempts = 3, DelaysInSeconds = [1, 5, 15] }));

    /// <summary>Adds Hangfire's store, its server, and the recurring tasks. Needs the ledger and the scheduler.</summary>
    public static IServiceCollection AddLlavaHangfire(this IServiceCollection services)
    {
        services.AddLlavaHangfireStorage();
        services.AddHangfireServer(server =>
        {
            server.WorkerCount = 2;
            server.ShutdownTimeout = TimeSpan.FromSeconds(5);
        });
        services.AddTransient<SweepTask>();
        services.AddTransient<RetentionTask>();
        services.AddTransient<ScheduleTask>();
        services.AddHostedService<RecurringSchedule>();
        services.AddHostedService<HangfireSchedules>();
        return services;
    }

    private static IGlobalConfiguration UseStorageOf(IGlobalConfiguration hangfire, LedgerOptions ledger) => PostgresAddress.Find(ledger) is { } address
        ? hangfire.UsePostgreSqlStorage(storage => storage.UseNpgsqlConnection(address.ConnectionString), new PostgreSqlStorageOptions
        {
            SchemaName = Schema,
            UseSlidingInvisibilityTimeout = true, // a fixed one starts a task again while it still runs
            AllowDegradedModeWithoutStorage = false, // a clock without its store must not look ready
        })
        : hangfire.UseInMemoryStorage(new InMemoryStorageOptions { MaxExpirationTime = TimeSpan.FromHours(3) });
}
