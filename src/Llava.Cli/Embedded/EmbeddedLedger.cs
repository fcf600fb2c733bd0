using Llava.Cli.Estimates;
using Llava.Cli.Service;
using Llava.Contracts.Documents;
using Llava.Contracts.Requests;
using Llava.GpuConsumer.Runners;
using Llava.Hosting.Paths;
using Llava.Ledger;
using Llava.Ledger.Audit;
using Llava.Ledger.Estimates;
using Llava.Ledger.Files;
using Llava.Ledger.Jobs;
using Llava.Ledger.Keys;
using Llava.Ledger.Promotions;
using Llava.Ledger.Results;
using Llava.Ledger.Schedules;
using Llava.Ledger.Training;
using Llava.Ledger.Workers;
using Llava.Scheduler.Sources;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Llava.Cli.Embedded;

/// <summary>The embedded ledger without scheduler, consumer or model: for commands that submit and read.</summary>
internal sealed class EmbeddedLedger : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    private EmbeddedLedger(ServiceProvider services) => _services = services;

    public JobSubmission Submission => _services.GetRequiredService<JobSubmission>();

    public JobEstimator Estimator => _services.GetRequiredService<JobEstimator>();

    public JobReader Jobs => _services.GetRequiredService<JobReader>();

    public ResultReader Results => _services.GetRequiredService<ResultReader>();

    public WorkerRegistry Workers => _services.GetRequiredService<WorkerRegistry>();

    public ScheduleStore Schedules => _services.GetRequiredService<ScheduleStore>();

    public ScheduleFiring ScheduleFiring => _services.GetRequiredService<ScheduleFiring>();

    public JobControl Control => _services.GetRequiredService<JobControl>();

    public JobParts Parts => _services.GetRequiredService<JobParts>();

    public TrainingRuns Training => _services.GetRequiredService<TrainingRuns>();

    public PromotionStore Promotions => _services.GetRequiredService<PromotionStore>();

    public FileStore Files => _services.GetRequiredService<FileStore>();

    public ApiKeys Keys => _services.GetRequiredService<ApiKeys>();

    public AuditLog Audit => _services.GetRequiredService<AuditLog>();

    public static async Task<EmbeddedLedger> OpenAsync(string dataFolder, CancellationToken cancellationToken)
    {
        var configuration = new ConfigurationBuilder().AddEnvironmentVariables().Build();
        var services = new ServiceCollection()
            .AddSingleton<IConfiguration>(configuration)
            .AddLlavaLedger(options => options.BindLedger(configuration, dataFolder))
            .AddSingleton<IAnswerShapeCheck, AnswerShapes>()
            .AddLlavaFiles(options => options.BindConfiguration(FileStoreOptions.SectionName));
        services.PlaceFiles(dataFolder);
        var provider = services.BuildServiceProvider();
        await provider.GetRequiredService<LedgerSetup>().PrepareAsync();
        return new EmbeddedLedger(provider);
    }

    /// <summary>What a request would take.</summary>
    public async Task<JobEstimate> EstimateAsync(JobRequest request, CancellationToken cancellationToken)
    {
        // Whoever names a folder at a terminal may read it.
        using JobSurvey survey = new(new SourceSurveyor(new AllowedRoots(request.Source.Folders()), Files), takesPaths: true);
        return await Estimator.BeforeAsync(request.Model, await survey.OfAsync(request, cancellationToken), cancellationToken);
    }

    /// <summary>How far the job's sample is, and what the rest will take; null where it has none.</summary>
    public Task<SampleDocument?> SampleAsync(JobRecord job, JobProgress progress, CancellationToken cancellationToken) =>
        Estimator.OfSampleAsync(job, progress, job.SampleChunk is null ? null : new FolderModels().ImageTokensOf(job.ModelName()), cancellationToken);

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
