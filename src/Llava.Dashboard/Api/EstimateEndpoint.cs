using Llava.Contracts;
using Llava.Contracts.Documents;
using Llava.Contracts.Requests;
using Llava.Dashboard.Estimates;
using Llava.Dashboard.OpenApi;
using Llava.Ledger.Estimates;
using Llava.Ledger.Keys;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Llava.Dashboard.Api;

/// <summary><c>POST /jobs/estimate</c>: what a request would take, without submitting it.</summary>
internal static class EstimateEndpoint
{
    public static void MapEstimate(this RouteGroupBuilder api) => api.MapPost("/jobs/estimate", EstimateAsync).RequireRole(AccessRole.Operator)
        .WithSummary("Says what a job would take, without submitting it").Takes<JobRequest>().Produces<JobEstimate>();

    private static async Task<IResult> EstimateAsync(HttpRequest http, Caller caller, JobEstimator estimator, IJobSurvey survey, CancellationToken cancellation)
    {
        var body = await ApiJson.ReadAsync(http, cancellation);
        var request = SubmissionEndpoint.OfTenant(caller, ApiJson.Read<JobRequest>(body), namesTenant: body.TryGetProperty("tenant", out _));
        if (request.Validate() is { Count: > 0 } findings)
        {
            throw new InvalidJobRequestException(findings);
        }

        return Results.Json(await estimator.BeforeAsync(request.Model, await survey.OfAsync(request, cancellation), cancellation), RequestJson.Options);
    }
}
