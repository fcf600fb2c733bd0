using Llava.Dashboard.Api;
using Llava.Ledger.Keys;
using Llava.Ledger.Workers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Llava.Dashboard.OpenAi.Models;

/// <summary><c>GET /models</c> and <c>GET /models/{id}</c>: what live workers say they answer for.</summary>
internal static class ModelEndpoints
{
    public static void MapModels(this RouteGroupBuilder api)
    {
        api.MapGet("/models", ListAsync).RequireRole(AccessRole.Viewer);
        // A name may have slashes, which some libraries send as they are and others as %2F.
        api.MapGet("/models/{**model}", ReadAsync).RequireRole(AccessRole.Viewer);
    }

    private static async Task<IResult> ListAsync(WorkerRegistry workers, CancellationToken cancellation)
    {
        var models = await ServedAsync(workers, cancellation);
        return Results.Json(new OpenAiPage<ModelObject>(models, models.FirstOrDefault()?.Id, models.LastOrDefault()?.Id, HasMore: false), ModelJson.Default.OpenAiPageModelObject);
    }

    private static async Task<IResult> ReadAsync(WorkerRegistry workers, string model, CancellationToken cancellation)
    {
        // Routing decodes everything but the slash.
        var name = model.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
        var found = (await ServedAsync(workers, cancellation)).FirstOrDefault(served => served.Id == name)
            ?? throw OpenAiException.NotFound("model_not_found", $"No live worker answers for the model '{name}'; GET {OpenAiHosting.Root}/models lists those that are served.", "model");
        return Results.Json(found, ModelJson.Default.ModelObject);
    }

    private static async Task<List<ModelObject>> ServedAsync(WorkerRegistry workers, CancellationToken cancellation) =>
    [
        .. (await workers.LiveAsync(cancellation))
            .SelectMany(worker => worker.Models, (worker, model) => (worker, model))
            .GroupBy(served => served.model.Name, StringComparer.Ordinal)
            .OrderBy(served => served.Key, StringComparer.Ordinal)
            .Select(served => ModelObject.Of(served.Key, [.. served])),
    ];
}
