using Llava.Cli.Embedded;
using Llava.Cli.Training;
using Llava.Contracts;
using Llava.Ledger.Schedules;

namespace Llava.Cli.Schedules;

/// <summary>Schedules of the ledger that the settings or the data folder name.</summary>
internal sealed class LedgerScheduleClient(EmbeddedLedger ledger) : IScheduleClient
{
    private const string Tenant = "default";
    private const int LastJobs = 10;

    public static async Task<IScheduleClient> OpenAsync(string dataFolder, CancellationToken cancellationToken) =>
        new LedgerScheduleClient(await EmbeddedLedger.OpenAsync(dataFolder, cancellationToken));

    /// <summary>Consumers of the distributed service serve names; the embedded mode serves folders.</summary>
    public async Task<string> ModelAsync(string typed, CancellationToken cancellationToken) =>
        (await ledger.Workers.ListAsync(cancellationToken)).SelectMany(worker => worker.Models).Any(served => served.Name == typed) ? typed : ModelFolders.NameForJobs(typed);

    public Task<string> KeepRowsAsync(FileInfo rows, CancellationToken cancellationToken) => ledger.Files.KeepAsync(rows, cancellationToken);

    public async Task<ScheduleView> AddAsync(ScheduleDefinition definition, CancellationToken cancellationToken) =>
        await ViewAsync(await ledger.Schedules.AddAsync(definition, cancellationToken), 1, cancellationToken);

    public async Task<ScheduleView> ReplaceAsync(ScheduleDefinition definition, CancellationToken cancellationToken) =>
        await ViewAsync(await ledger.Schedules.ReplaceAsync(definition, cancellationToken), 1, cancellationToken);

    public async Task<IReadOnlyList<ScheduleView>> ListAsync(CancellationToken cancellationToken)
    {
        List<ScheduleView> views = [];
        foreach (var schedule in await ledger.Schedules.ListAsync(Tenant, cancellationToken))
        {
            views.Add(await ViewAsync(schedule, 1, cancellationToken));
        }

        return views;
    }

    public async Task<ScheduleView> ReadAsync(string name, CancellationToken cancellationToken) =>
        await ViewAsync(await ledger.Schedules.ReadAsync(Tenant, name, cancellationToken), LastJobs, cancellationToken);

    public Task<ScheduleFire> RunAsync(string name, CancellationToken cancellationToken) => ledger.ScheduleFiring.RunAsync(Tenant, name, cancellationToken);

    public async Task<ScheduleView> PauseAsync(string name, CancellationToken cancellationToken) =>
        await ViewAsync(await ledger.Schedules.PauseAsync(Tenant, name, cancellationToken), 1, cancellationToken);

    public async Task<ScheduleView> ResumeAsync(string name, CancellationToken cancellationToken) =>
        await ViewAsync(await ledger.Schedules.ResumeAsync(Tenant, name, cancellationToken), 1, cancellationToken);

    public Task<IReadOnlyList<JobId>> RemoveAsync(string name, CancellationToken cancellationToken) => ledger.Schedules.DeleteAsync(Tenant, name, cancellationToken);

    public ValueTask DisposeAsync() => ledger.DisposeAsync();

    private async Task<ScheduleView> ViewAsync(ScheduleRecord schedule, int jobs, CancellationToken cancellationToken)
    {
        List<ScheduledJob> last = [];
        foreach (var id in await ledger.Schedules.JobsAsync(schedule.Id, jobs, cancellationToken))
        {
            // One that retention deletes at this moment is left out.
            if (await ledger.Jobs.FindAsync(id, cancellationToken) is { } job)
            {
                last.Add(new(job, job.FinalProgress ?? await ProgressAsync(id, cancellationToken)));
            }
        }

        return new(schedule, last, await ledger.Schedules.RunsAsync(schedule.Id, jobs, cancellationToken));
    }

    private Task<Llava.Ledger.Jobs.JobProgress> ProgressAsync(JobId job, CancellationToken cancellationToken) => ledger.Jobs.ProgressAsync(job, cancellationToken);
}
