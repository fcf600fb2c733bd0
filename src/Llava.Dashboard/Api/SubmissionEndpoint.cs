using System.Text.Json;
using Llava.Contracts;
using Llava.Contracts.Documents;
using Llava.Contracts.Requests;
using Llava.Dashboard.OpenApi;
using Llava.Ledger.Jobs;
using Llava.Ledger.Keys;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace Llava.Dashboard.Api;

/// <summary><c>POST /jobs</c>: the request of docs/messages.md as a body.</summary>
internal static class SubmissionEndpoint
{
    private const string IdempotencyKeyHeader = "Idempotency-Key";

    public static void MapSubmission(this RouteGroupBuilder api) => api.MapPost("/jobs", SubmitAsync).RequireRole(AccessRole.Operator)
        .WithSummary("Submits a job").Takes<JobRequest>().Produces<JobDocument>(StatusCodes.Status201Created).Produces<JobDocument>();

    private static async Task<IResult> SubmitAsync(
        HttpRequest http, Caller caller, [FromHeader(Name = IdempotencyKeyHeader)] string? key, JobSubmission submission, JobDocuments documents, CancellationToken cancellation)
    {
        var body = await ApiJson.ReadAsync(http, cancellation);
        var request = OfTenant(caller, WithKey(ApiJson.Read<JobRequest>(body), key), namesTenant: body.TryGetProperty("tenant", out _));
        var submitted = await submission.SubmitAsync(request, cancellation);
        var document = await documents.OfAsync(submitted.Id, cancellation);
        return submitted.IsNew
            ? Results.Json(document, RequestJson.Options, statusCode: StatusCodes.Status201Created).At($"{ApiHosting.Root}/jobs/{submitted.Id}")
            : Results.Json(document, RequestJson.Options);
    }

    private static JobRequest WithKey(JobRequest request, string? key) => key is null || key == request.IdempotencyKey || request.IdempotencyKey is null
        ? request with { IdempotencyKey = key ?? request.IdempotencyKey }
        : throw new InvalidJobRequestException([new("idempotency_key", $"is '{request.IdempotencyKey}', and the header {IdempotencyKeyHeader} is '{key}'; give one of the two.")]);

    /// <summary>A request that names no tenant is for the caller's own.</summary>
    public static JobRequest OfTenant(Caller caller, JobRequest request, bool namesTenant) =>
        !namesTenant ? request with { Tenant = caller.Tenant }
        : caller.MaySee(request.Tenant) ? request
        : throw new ApiException(
            StatusCodes.Status403Forbidden, "tenant_forbidden", $"This key is for the tenant '{caller.Tenant}' and cannot act for '{request.Tenant}'; leave 'tenant' out.", "tenant");

    /// <summary>Says where what was made can be found.</summary>
    private static LocatedResult At(this IResult result, string location) => new(result, location);

    private sealed class LocatedResult(IResult result, string location) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.Headers.Location = location;
            return result.ExecuteAsync(httpContext);
        }
    }
}
