using Llava.Contracts.Documents;
using Llava.Contracts.Requests;
using Llava.Dashboard.Models;
using Llava.Ledger.Keys;
using Llava.Ledger.Training;
using Llava.Ledger.Workers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Llava.Dashboard.Api;

/// <summary><c>GET /models</c> and <c>GET /workers</c>: who lives and what is served.</summary>
internal static class WorkerEndpoints
{
    public static void MapWorkers(this RouteGroupBuilder api)
    {
        api.MapGet("/models", async (Caller caller, WorkerRegistry workers, TrainedModelOwners owners, CancellationToken cancellation) => Json(
            (await workers.LiveForAsync(owners, caller.Confinement, cancellation)).SelectMany(worker => worker.Models)
                .GroupBy(model => model.Name, StringComparer.Ordinal)
                .OrderBy(served => served.Key, StringComparer.Ordinal)
                .Select(served => new ModelDocument(served.Key, [.. served.Select(model => model.Revision).Distinct().Order(StringComparer.Ordinal)], served.Sum(model => model.Slots), served.Count()))))
            .RequireRole(AccessRole.Viewer).WithSummary("Lists what live workers answer for").Produces<ListDocument<ModelDocument>>();
        api.MapGet("/workers", async (Caller caller, WorkerRegistry workers, TrainedModelOwners owners, CancellationToken cancellation) => Json(
            (await workers.LiveForAsync(owners, caller.Confinement, cancellation)).Select(worker => new WorkerDocument(worker.Id, worker.Host, [.. worker.Models.Select(model => model.Name)], worker.Draining, worker.HeartbeatAt, worker.Bases))))
            .RequireRole(AccessRole.Viewer).WithSummary("Lists live workers").Produces<ListDocument<WorkerDocument>>();
    }

    private static IResult Json<T>(IEnumerable<T> entries) => Results.Json(new ListDocument<T>([.. entries]), RequestJson.Options);
}
