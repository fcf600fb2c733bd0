using Llava.Contracts.Documents;
using Llava.Contracts.Requests;
using Llava.Dashboard.OpenApi;
using Llava.Ledger.Jobs;
using Llava.Ledger.Keys;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Llava.Dashboard.Api;

/// <summary><c>POST /jobs/{id}/parts</c>: a further source for an open job.</summary>
internal static class PartsEndpoint
{
    public static void MapParts(this RouteGroupBuilder api) => api.MapPost("/jobs/{job}/parts", AppendAsync).RequireRole(AccessRole.Operator)
        .WithSummary("Adds a source to an open job").Takes<PartRequest>().Produces<PartDocument>(StatusCodes.Status201Created).Produces<PartDocument>();

    private static async Task<IResult> AppendAsync(HttpRequest http, Caller caller, JobReader jobs, JobParts parts, string job, CancellationToken cancellation)
    {
        var record = await caller.JobAsync(jobs, job, cancellation);
        var appended = await parts.AppendAsync(record.Id, ApiJson.Read<PartRequest>(await ApiJson.ReadAsync(http, cancellation)), cancellation);
        return Results.Json(JobDocuments.Of(appended.Part), RequestJson.Options, statusCode: appended.IsNew ? StatusCodes.Status201Created : StatusCodes.Status200OK);
    }
}
