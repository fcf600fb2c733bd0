using Llava.Ledger.Training;
using Llava.Ledger.Workers;

namespace Llava.Dashboard.Models;

/// <summary>What live workers serve, as one tenant sees it.</summary>
internal static class ServedModels
{
    /// <summary>The live workers, without models that another tenant had trained.</summary>
    /// <param name="workers">All of them.</param>
    /// <param name="owners">Whose which model is.</param>
    /// <param name="tenant">Who looks; null for whoever sees everything.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public static async Task<IReadOnlyList<WorkerRecord>> LiveForAsync(this WorkerRegistry workers, TrainedModelOwners owners, string? tenant, CancellationToken cancellation) =>
        await owners.ConfineAsync(await workers.LiveAsync(cancellation), tenant, cancellation);

    /// <summary>Workers without models that another tenant had trained.</summary>
    public static async Task<IReadOnlyList<WorkerRecord>> ConfineAsync(this TrainedModelOwners owners, IReadOnlyList<WorkerRecord> workers, string? tenant, CancellationToken cancellation)
    {
        var usable = (await owners.UsableAsync(tenant, workers.SelectMany(worker => worker.Models).Select(model => model.Name).Distinct(), cancellation)).ToHashSet(StringComparer.Ordinal);
        return [.. workers.Select(worker => worker with { Models = [.. worker.Models.Where(model => usable.Contains(model.Name))] })];
    }
}
