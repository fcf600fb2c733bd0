using Llava.Contracts;
using Llava.Contracts.Documents;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Ledger.Jobs;
using Llava.Ledger.Keys;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Llava.Dashboard.Api;

/// <summary><c>GET /jobs</c> and <c>GET /jobs/{id}</c>.</summary>
internal static class ReadingEndpoints
{
    private const int DefaultLimit = 20;
    private const int MaxLimit = 100;

    public static void MapReading(this RouteGroupBuilder api)
    {
        api.MapGet("/jobs", ListAsync).RequireRole(AccessRole.Viewer).WithSummary("Lists jobs, the newest first").Produces<JobPage>();
        api.MapGet("/jobs/{job}", ReadAsync).RequireRole(AccessRole.Viewer).WithSummary("Shows a job").Produces<JobDocument>();
    }

    private static async Task<IResult> ListAsync(
        Caller caller, JobReader jobs, JobDocuments documents, string? state, string? tenant, string? after, string? limit, CancellationToken cancellation)
    {
        var size = limit is null ? DefaultLimit : ApiQuery.Number("limit", limit, 1, MaxLimit);
        var found = await jobs.ListAsync(new()
        {
            Tenant = caller.Confinement ?? tenant,
            State = state is null ? null : ApiQuery.Name("state", state, JobStates.Table),
            Before = after is null ? null : JobId.TryParse(after, null, out var last) ? last : throw ApiQuery.Wrong("after", after, "the 'next' of the page before"),
            Limit = size + 1, // one more tells whether there is another page
        }, cancellation);
        List<JobDocument> page = [];
        foreach (var job in found.Take(size))
        {
            page.Add(await documents.OfAsync(job, alone: false, cancellation));
        }

        return Results.Json(new JobPage(page, found.Count > size ? page[^1].Id : null), RequestJson.Options);
    }

    private static async Task<IResult> ReadAsync(Caller caller, JobReader jobs, JobDocuments documents, string job, CancellationToken cancellation) =>
        Results.Json(await documents.OfAsync(await caller.JobAsync(jobs, job, cancellation), alone: true, cancellation), RequestJson.Options);
}
