using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Ledger.Storage;

namespace Llava.Ledger.Training;

/// <summary>Whose the models are that were trained here. To every other tenant such a model is as if it were not there.</summary>
public sealed class TrainedModelOwners
{
    private readonly LedgerDatabase _database;

    internal TrainedModelOwners(LedgerDatabase database) => _database = database;

    /// <summary>Whether the tenant may ask the model, or train from it: it is the tenant's own, or nobody's.</summary>
    /// <param name="tenant">Who asks; null for whoever may do everything.</param>
    /// <param name="model">The model, by the name that jobs use, or one of its training checkpoints.</param>
    /// <param name="cancellation">Gives up waiting.</param>
    public async Task<bool> MayUseAsync(string? tenant, string model, CancellationToken cancellation = default) =>
        tenant is null || !IsTrained(model) || await _database.ReadAsync((session, token) => IsOwnAsync(session, tenant, model, token), cancellation);

    /// <summary>Those of the models that the tenant may ask, in their order.</summary>
    /// <inheritdoc cref="MayUseAsync"/>
    public async Task<IReadOnlyList<string>> UsableAsync(string? tenant, IEnumerable<string> models, CancellationToken cancellation = default)
    {
        List<string> usable = [];
        foreach (var model in models)
        {
            if (await MayUseAsync(tenant, model, cancellation))
            {
                usable.Add(model);
            }
        }

        return usable;
    }

    /// <summary>Refuses a job that asks for another tenant's model.</summary>
    /// <exception cref="InvalidJobRequestException">It does.</exception>
    internal static async Task RequireOwnAsync(LedgerSession session, JobRequest request, CancellationToken cancellation)
    {
        foreach (var model in request.Source.Models.Prepend(request.Model))
        {
            if (IsTrained(model) && !await IsOwnAsync(session, request.Tenant, model, cancellation))
            {
                throw new InvalidJobRequestException([Missing(model, request.Tenant)]);
            }
        }
    }

    /// <summary>Refuses a run that starts from another tenant's model.</summary>
    /// <exception cref="InvalidTrainingRequestException">It does.</exception>
    internal static async Task RequireOwnAsync(LedgerSession session, TrainingRequest request, CancellationToken cancellation)
    {
        if (IsTrained(request.Model) && !await IsOwnAsync(session, request.Tenant, request.Model, cancellation))
        {
            throw new InvalidTrainingRequestException([Missing(request.Model, request.Tenant)]);
        }
    }

    private static Finding Missing(string model, string tenant) => new("model", $"is '{model}', and tenant '{tenant}' has no such model; name one that is served to it.");

    private static bool IsTrained(string model) => model.StartsWith(TrainingRunRecord.ModelPrefix, StringComparison.Ordinal);

    private static async Task<bool> IsOwnAsync(LedgerSession session, string tenant, string model, CancellationToken cancellation) =>
        await session.Statement("find_owner_of_model").Set("@model", TrainingCheckpointRecord.RunModelOf(model)).FirstAsync(row => row.GetString(0), cancellation) is not { } owner || owner == tenant;
}
