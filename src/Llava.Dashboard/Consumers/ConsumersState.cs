using Llava.Dashboard.Models;
using Llava.Ledger.Training;
using Llava.Ledger.Workers;

namespace Llava.Dashboard.Consumers;

/// <summary>What the page of consumers shows at one moment.</summary>
/// <param name="Consumers">Every consumer that did not say goodbye, the silent ones last.</param>
/// <param name="Expiry">How long one counts as alive without a heartbeat.</param>
internal sealed record ConsumersState(IReadOnlyList<ConsumerView> Consumers, TimeSpan Expiry)
{
    /// <summary>Those that live.</summary>
    public int Live => Consumers.Count(consumer => !consumer.IsSilent);

    /// <summary>Sequences that the living run at the same time, where all their models are loaded.</summary>
    public int Slots => Consumers.Where(consumer => !consumer.IsSilent).Sum(consumer => consumer.Worker.Models.Sum(model => model.Slots));

    /// <summary>Reads it as this tenant's people see it; null for all tenants'.</summary>
    public static async Task<ConsumersState> ReadAsync(WorkerRegistry registry, TrainedModelOwners owners, TimeProvider time, string? tenant, CancellationToken cancellation)
    {
        var workers = await owners.ConfineAsync(await registry.ListAsync(cancellation), tenant, cancellation);
        var work = (await registry.WorkInHandAsync(cancellation)).ToLookup(part => part.Worker, StringComparer.Ordinal);
        var now = time.GetUtcNow();
        return new(
            [.. workers.Select(worker => ConsumerView.Of(worker, [.. work[worker.Id]], tenant, now, registry.Expiry)).OrderBy(consumer => consumer.IsSilent)],
            registry.Expiry);
    }
}

/// <summary>A consumer as the page shows it.</summary>
/// <param name="Worker">The consumer.</param>
/// <param name="Work">What it has in hand of jobs that the reader may see.</param>
/// <param name="OtherItems">Items that it has in hand of other tenants' jobs.</param>
/// <param name="Age">How long ago it last said that it lives.</param>
/// <param name="IsSilent">Whether that is too long.</param>
internal sealed record ConsumerView(WorkerRecord Worker, IReadOnlyList<WorkInHand> Work, int OtherItems, TimeSpan Age, bool IsSilent)
{
    /// <summary>In a word.</summary>
    public string State => IsSilent ? "silent" : Worker.Draining ? "draining" : "live";

    /// <summary>Memory of the models that are loaded, in bytes.</summary>
    public long Memory => Worker.Models.Where(model => model.State == ModelState.Loaded).Sum(model => model.MemoryBytes);

    public static ConsumerView Of(WorkerRecord worker, IReadOnlyList<WorkInHand> work, string? tenant, DateTimeOffset now, TimeSpan expiry) => new(
        worker,
        [.. work.Where(part => tenant is null || part.Tenant == tenant)],
        work.Where(part => tenant is not null && part.Tenant != tenant).Sum(part => part.Items),
        now - worker.HeartbeatAt,
        now - worker.HeartbeatAt > expiry);
}
