using Llava.Contracts;
using Llava.Dashboard.Reviews;
using Llava.Ledger.Files;
using Llava.Ledger.Jobs;
using Llava.Ledger.Training;
using Llava.Ledger.Workers;

namespace Llava.Dashboard.Models;

/// <summary>All models that consumers serve, that the folder holds or that were trained here.</summary>
internal sealed class ModelRegistry(WorkerRegistry workers, TrainedModelOwners owners, IModelFolder folder, TrainingRuns runs, FileStore files, JobReader jobs)
{
    /// <summary>Models by name, without those that another tenant had trained.</summary>
    /// <param name="tenant">Who looks; null for whoever sees everything.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public async Task<IReadOnlyList<ModelView>> ReadAsync(string? tenant, CancellationToken cancellation)
    {
        var served = (await workers.LiveForAsync(owners, tenant, cancellation)).SelectMany(worker => worker.Models).ToLookup(model => model.Name, StringComparer.Ordinal);
        var stored = folder.List().ToDictionary(model => model.Name, StringComparer.Ordinal);
        var trained = (await runs.ListSucceededAsync(cancellation)).Where(run => run.HasModel && (tenant is null || run.Request.Tenant == tenant)).ToDictionary(run => run.Model, StringComparer.Ordinal);
        List<ModelView> models = [];
        foreach (var name in served.Select(group => group.Key).Union(stored.Keys).Union(trained.Keys).Order(StringComparer.Ordinal))
        {
            models.Add(new(name, [.. served[name]], stored.GetValueOrDefault(name), trained.TryGetValue(name, out var run) ? await LineageOfAsync(run, cancellation) : null));
        }

        return models;
    }

    private async Task<ModelLineage> LineageOfAsync(TrainingRunRecord run, CancellationToken cancellation)
    {
        var file = await files.FindAsync(run.Request.TrainingFile, run.Request.Tenant, cancellation);
        JobId? reviewed = file is not null && TrainingFiles.JobOf(file) is { } job && (await jobs.FindAsync(job, cancellation))?.Request.Tenant == run.Request.Tenant ? job : null;
        return new(run, file, reviewed);
    }
}
