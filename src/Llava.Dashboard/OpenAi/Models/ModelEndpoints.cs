using Llava.Dashboard.Api;
using Llava.Dashboard.OpenAi.Files;
using Llava.Ledger.Keys;
using Llava.Ledger.Training;
using Llava.Ledger.Workers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Llava.Dashboard.OpenAi.Models;

/// <summary><c>/models</c>: what live workers say they answer for, and what was trained from it, which can be deleted.</summary>
internal static class ModelEndpoints
{
    public static void MapModels(this RouteGroupBuilder api)
    {
        api.MapGet("/models", ListAsync).RequireRole(AccessRole.Viewer).WithSummary("Lists models that are served").Produces<OpenAiPage<ModelObject>>();
        // A name may have slashes, which some libraries send as they are and others as %2F.
        api.MapGet("/models/{**model}", ReadAsync).RequireRole(AccessRole.Viewer).WithSummary("Shows a model").Produces<ModelObject>();
        api.MapDelete("/models/{**model}", DeleteAsync).RequireRole(AccessRole.Operator).WithSummary("Deletes a model that was trained here").Produces<DeletedObject>();
    }

    private static async Task<IResult> ListAsync(WorkerRegistry workers, TrainingRuns runs, Caller caller, CancellationToken cancellation)
    {
        var models = await ServedAsync(workers, runs, caller, cancellation);
        return Results.Json(new OpenAiPage<ModelObject>(models, models.FirstOrDefault()?.Id, models.LastOrDefault()?.Id, HasMore: false), ModelJson.Default.OpenAiPageModelObject);
    }

    private static async Task<IResult> ReadAsync(WorkerRegistry workers, TrainingRuns runs, Caller caller, string model, CancellationToken cancellation)
    {
        var name = NameOf(model);
        var found = (await ServedAsync(workers, runs, caller, cancellation)).FirstOrDefault(served => served.Id == name)
            ?? throw OpenAiException.NotFound("model_not_found", $"No live worker answers for the model '{name}'; GET {OpenAiHosting.Root}/models lists those that are served.", "model");
        return Results.Json(found, ModelJson.Default.ModelObject);
    }

    private static async Task<IResult> DeleteAsync(TrainingRuns runs, Caller caller, string model, CancellationToken cancellation)
    {
        var name = NameOf(model);
        return await runs.DeleteModelAsync(name, caller.Confinement, cancellation)
            ? Results.Json(new DeletedObject(name, "model"), FileJson.Default.DeletedObject)
            : throw OpenAiException.NotFound("model_not_found", $"There is no fine-tuned model '{name}' of yours; only those can be deleted.", "model");
    }

    /// <summary>Routing decodes everything but the slash.</summary>
    private static string NameOf(string model) => model.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);

    /// <summary>What workers serve. A model that was trained belongs to whoever had it trained: another tenant does not see it.</summary>
    private static async Task<List<ModelObject>> ServedAsync(WorkerRegistry workers, TrainingRuns runs, Caller caller, CancellationToken cancellation)
    {
        var trained = (await runs.ListSucceededAsync(cancellation)).ToDictionary(run => run.Model, StringComparer.Ordinal);
        return
        [
            .. (await workers.LiveAsync(cancellation))
                .SelectMany(worker => worker.Models, (worker, model) => (worker, model))
                .GroupBy(served => served.model.Name, StringComparer.Ordinal)
                .Select(served => (Served: served, Run: trained.GetValueOrDefault(served.Key)))
                .Where(one => one.Run is null || (one.Run.HasModel && caller.MaySee(one.Run.Request.Tenant)))
                .OrderBy(one => one.Served.Key, StringComparer.Ordinal)
                .Select(one => ModelObject.Of(one.Served.Key, [.. one.Served], one.Run)),
        ];
    }
}
