using Llava.Contracts.Requests;
using Llava.GpuConsumer.Runners;
using Llava.Ledger;
using Llava.Ledger.Jobs;
using Llava.Ledger.Keys;
using Llava.Ledger.Results;
using Llava.Ledger.Schedules;
using Llava.Ledger.Workers;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Llava.Cli.Embedded;

/// <summary>The embedded ledger without scheduler, consumer or model: for commands that submit and read.</summary>
internal sealed class EmbeddedLedger : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    private EmbeddedLedger(ServiceProvider services) => _services = services;

    public JobSubmission Submission => _services.GetRequiredService<JobSubmission>();

    public JobReader Jobs => _services.GetRequiredService<JobReader>();

    public ResultReader Results => _services.GetRequiredService<ResultReader>();

    public WorkerRegistry Workers => _services.GetRequiredService<WorkerRegistry>();

    public ScheduleStore Schedules => _services.GetRequiredService<ScheduleStore>();

    public ScheduleFiring ScheduleFiring => _services.GetRequiredService<ScheduleFiring>();

    public JobControl Control => _services.GetRequiredService<JobControl>();

    public JobParts Parts => _services.GetRequiredService<JobParts>();

    public ApiKeys Keys => _services.GetRequiredService<ApiKeys>();

    public static async Task<EmbeddedLedger> OpenAsync(string dataFolder, CancellationToken cancellationToken)
    {
        var configuration = new ConfigurationBuilder().AddEnvironmentVariables().Build();
        var services = new ServiceCollection()
            .AddLlavaLedger(options => options.BindLedger(configuration, dataFolder))
            .AddSingleton<IAnswerShapeCheck, AnswerShapes>()
            .BuildServiceProvider();
        await services.GetRequiredService<LedgerSetup>().PrepareAsync();
        return new EmbeddedLedger(services);
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
