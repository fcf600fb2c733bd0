using Llava.Contracts.Requests;
using Llava.Ledger.Audit;
using Llava.Ledger.Backlogs;
using Llava.Ledger.Batches;
using Llava.Ledger.Chunks;
using Llava.Ledger.Estimates;
using Llava.Ledger.Expansion;
using Llava.Ledger.Jobs;
using Llava.Ledger.Keys;
using Llava.Ledger.Promotions;
using Llava.Ledger.Results;
using Llava.Ledger.Reviews;
using Llava.Ledger.Sampling;
using Llava.Ledger.Schedules;
using Llava.Ledger.Signals;
using Llava.Ledger.Storage;
using Llava.Ledger.Telemetry;
using Llava.Ledger.Throughput;
using Llava.Ledger.Training;
using Llava.Ledger.Webhooks;
using Llava.Ledger.Workers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Llava.Ledger;

/// <summary>Puts the ledger into a container.</summary>
public static class LedgerServices
{
    /// <summary>
    /// Adds the ledger: <see cref="JobSubmission"/>, <see cref="JobControl"/>, <see cref="JobFollowUp"/>, <see cref="JobReader"/>, <see cref="JobEnding"/>, <see cref="JobReports"/>, <see cref="JobRetention"/>, <see cref="JobParts"/>, <see cref="JobSampling"/>, <see cref="JobEstimator"/>,
    /// <see cref="JobExpansion"/>, <see cref="PartExpansion"/>, <see cref="ChunkDispatch"/>, <see cref="ChunkLeases"/>, <see cref="LeaseSweep"/>,
    /// <see cref="AttemptHistory"/>, <see cref="ResultWriter"/>, <see cref="ResultReader"/>, <see cref="GalleryReader"/>, <see cref="ComparisonReader"/>, <see cref="ReviewStore"/>, <see cref="ThroughputReader"/>,
    /// <see cref="ResultCache"/>, <see cref="BacklogReader"/>, <see cref="WorkerRegistry"/>, <see cref="ScheduleStore"/>, <see cref="ScheduleFiring"/>, <see cref="ScheduleMemory"/>, <see cref="ApiKeys"/>,
    /// <see cref="SignIns"/>, <see cref="AuditLog"/>, <see cref="TrainingRuns"/>, <see cref="TrainingLeases"/>, <see cref="TrainedModelOwners"/>, <see cref="BatchStore"/>, <see cref="WebhookStore"/>, <see cref="WebhookQueue"/>
    /// and <see cref="ILedgerSignal"/>.
    /// The schema is created, or brought up to date, with the first use.
    /// </summary>
    /// <param name="services">The container.</param>
    /// <param name="configure">Where the options come from, such as <c>options => options.BindConfiguration(LedgerOptions.SectionName)</c>.</param>
    public static IServiceCollection AddLlavaLedger(this IServiceCollection services, Action<OptionsBuilder<LedgerOptions>>? configure = null)
    {
        var options = services.AddOptions<LedgerOptions>().ValidateOnStart();
        configure?.Invoke(options);
        services.AddSingleton<IValidateOptions<LedgerOptions>, LedgerOptionsRanges>();
        services.AddSingleton<IValidateOptions<LedgerOptions>, LedgerOptionsRules>();
        services.AddLogging();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<LedgerMetrics>();
        services.TryAddSingleton(provider => new LedgerClock(provider.GetRequiredService<TimeProvider>()));
        services.TryAddSingleton(provider =>
        {
            // Services are made before the host checks its options: whoever is first has all of them checked, so that every finding is named.
            provider.GetService<IStartupValidator>()?.Validate();
            return provider.GetRequiredService<IOptions<LedgerOptions>>().Value;
        });
        services.TryAddSingleton<LedgerDatabase>(provider => PostgresAddress.Find(Options(provider)) is { } address
            ? new PostgresDatabase(address, Options(provider), provider.GetRequiredService<LedgerClock>(), Logger<PostgresDatabase>(provider))
            : new SqliteDatabase(Options(provider)));
        services.TryAddSingleton<ILedgerSignal>(provider => Database(provider) is PostgresDatabase postgres
            ? new PostgresSignal(postgres, Time(provider), Logger<PostgresSignal>(provider))
            : new InProcessSignal(Time(provider)));
        services.TryAddSingleton(provider => new LedgerSetup(Database(provider)));
        services.TryAddSingleton(provider => new JobSubmission(Database(provider), Signal(provider), Time(provider), Logger<JobSubmission>(provider), provider.GetServices<IAnswerShapeCheck>()));
        services.TryAddSingleton(provider => new JobControl(Database(provider), Signal(provider), Time(provider), Logger<JobControl>(provider)));
        services.TryAddSingleton(provider => new JobFollowUp(Database(provider), Signal(provider), Time(provider), Logger<JobFollowUp>(provider)));
        services.TryAddSingleton(provider => new JobEnding(Database(provider), Signal(provider), Metrics(provider), Time(provider), Logger<JobEnding>(provider)));
        services.TryAddSingleton(provider => new JobSampling(Database(provider), Signal(provider), Time(provider), Logger<JobSampling>(provider)));
        services.TryAddSingleton(provider => new JobEstimator(Database(provider), provider.GetRequiredService<WorkerRegistry>()));
        services.TryAddSingleton(provider => new JobReader(Database(provider)));
        services.TryAddSingleton(provider => new JobReports(Database(provider), Time(provider)));
        services.TryAddSingleton(provider => new BacklogReader(Database(provider)));
        services.TryAddSingleton(provider => new JobRetention(Database(provider), Time(provider), Logger<JobRetention>(provider)));
        services.TryAddSingleton(provider => new JobExpansion(Database(provider), Signal(provider), Metrics(provider), Time(provider), Logger<JobExpansion>(provider)));
        services.TryAddSingleton(provider => new JobParts(Database(provider), Signal(provider), Time(provider), Logger<JobParts>(provider)));
        services.TryAddSingleton(provider => new PartExpansion(Database(provider), Signal(provider), Metrics(provider), Time(provider), Logger<PartExpansion>(provider)));
        services.TryAddSingleton(provider => new ChunkDispatch(Database(provider), Time(provider)));
        services.TryAddSingleton(provider => new ChunkLeases(Database(provider), Signal(provider), Options(provider), Time(provider)));
        services.TryAddSingleton(provider => new LeaseSweep(Database(provider), Signal(provider), Options(provider), Metrics(provider), Time(provider), Logger<LeaseSweep>(provider)));
        services.TryAddSingleton(provider => new AttemptHistory(Database(provider)));
        services.TryAddSingleton(provider => new ResultWriter(Database(provider), Signal(provider), Metrics(provider), Time(provider)));
        services.TryAddSingleton(provider => new ResultReader(Database(provider)));
        services.TryAddSingleton(provider => new GalleryReader(Database(provider)));
        services.TryAddSingleton(provider => new ComparisonReader(Database(provider)));
        services.TryAddSingleton(provider => new ReviewStore(Database(provider), Time(provider)));
        services.TryAddSingleton(provider => new ThroughputReader(Database(provider)));
        services.TryAddSingleton(provider => new ResultCache(Database(provider), Time(provider)));
        services.TryAddSingleton(provider => new WorkerRegistry(Database(provider), Signal(provider), Options(provider), Time(provider)));
        services.TryAddSingleton(provider => new ScheduleStore(Database(provider), Signal(provider), Time(provider)));
        services.TryAddSingleton(provider => new ScheduleFiring(Database(provider), Signal(provider), Time(provider), Logger<ScheduleFiring>(provider)));
        services.TryAddSingleton(provider => new ScheduleMemory(Database(provider)));
        services.TryAddSingleton(provider => new ApiKeys(Database(provider), Time(provider), Logger<ApiKeys>(provider)));
        services.TryAddSingleton(provider => new TrainingRuns(Database(provider), Signal(provider), Time(provider), Logger<TrainingRuns>(provider)));
        services.TryAddSingleton(provider => new TrainingLeases(Database(provider), Signal(provider), Options(provider), Time(provider), Logger<TrainingLeases>(provider)));
        services.TryAddSingleton(provider => new TrainedModelOwners(Database(provider)));
        services.TryAddSingleton(provider => new PromotionStore(Database(provider), Signal(provider), Time(provider)));
        services.TryAddSingleton(provider => new BatchStore(Database(provider), Signal(provider), Time(provider)));
        services.TryAddSingleton(provider => new WebhookStore(Database(provider), Time(provider)));
        services.TryAddSingleton(provider => new WebhookQueue(Database(provider), Time(provider)));
        services.TryAddSingleton(provider => new SignIns(Database(provider), Time(provider)));
        services.TryAddSingleton(provider => new AuditLog(Database(provider), Time(provider)));
        return services;
    }

    private static LedgerDatabase Database(IServiceProvider provider) => provider.GetRequiredService<LedgerDatabase>();

    private static ILedgerSignal Signal(IServiceProvider provider) => provider.GetRequiredService<ILedgerSignal>();

    private static LedgerClock Time(IServiceProvider provider) => provider.GetRequiredService<LedgerClock>();

    private static LedgerMetrics Metrics(IServiceProvider provider) => provider.GetRequiredService<LedgerMetrics>();

    private static LedgerOptions Options(IServiceProvider provider) => provider.GetRequiredService<LedgerOptions>();

    private static ILogger<T> Logger<T>(IServiceProvider provider) => provider.GetRequiredService<ILogger<T>>();
}
