using System.Text.Json;
using Llava.Contracts;
using Llava.Contracts.Documents;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Dashboard.OpenApi;
using Llava.Ledger.Jobs;
using Llava.Ledger.Keys;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;

namespace Llava.Dashboard.Api;

/// <summary><c>POST /jobs/{id}/cancel</c>, <c>pause</c>, <c>resume</c>, <c>close</c> and <c>retry</c>. Asking for what is already so changes nothing.</summary>
internal static class ControlEndpoints
{
    public static void MapControl(this RouteGroupBuilder api)
    {
        Map<JobControl>("cancel", "Cancels a job", (control, job, cancellation) => control.CancelAsync(job, cancellation));
        Map<JobControl>("pause", "Pauses a job", (control, job, cancellation) => control.PauseAsync(job, cancellation));
        Map<JobControl>("resume", "Resumes a paused job", (control, job, cancellation) => control.ResumeAsync(job, cancellation));
        Map<JobParts>("close", "Closes an open job: no source is added any more", (parts, job, cancellation) => parts.CloseAsync(job, cancellation));
        api.MapPost("/jobs/{job}/retry", RetryAsync).RequireRole(AccessRole.Operator)
            .WithSummary("Tries items again that have a result but no answer").Takes<RetryRequest>(isOptional: true).Produces<RetriedDocument>();

        void Map<T>(string verb, string summary, Func<T, JobId, CancellationToken, Task> act) => api.MapPost(
            $"/jobs/{{job}}/{verb}",
            async (Caller caller, JobReader jobs, [FromServices] T service, JobDocuments documents, string job, CancellationToken cancellation) =>
            {
                var record = await caller.JobAsync(jobs, job, cancellation);
                await act(service, record.Id, cancellation);
                return Results.Json(await documents.OfAsync(record.Id, cancellation), RequestJson.Options);
            }).RequireRole(AccessRole.Operator).WithSummary(summary).Produces<JobDocument>();
    }

    private static async Task<IResult> RetryAsync(
        HttpRequest http, Caller caller, JobReader jobs, JobControl control, JobDocuments documents, string job, CancellationToken cancellation)
    {
        var record = await caller.JobAsync(jobs, job, cancellation);
        // Without a body all that failed is tried again.
        var wish = http.ContentLength is 0 || (http.ContentLength is null && http.ContentType is null)
            ? new RetryRequest()
            : ApiJson.Read<RetryRequest>(await ApiJson.ReadAsync(http, cancellation));
        if (wish.Outcomes.Contains(ItemOutcome.Succeeded))
        {
            throw new InvalidJobRequestException([new("outcomes", "names 'succeeded'; answers stay. Give failed, cancelled, expired.")]);
        }

        var retried = await control.RetryAsync(record.Id, new() { Outcomes = [.. wish.Outcomes], Codes = [.. wish.Codes] }, cancellation);
        return Results.Json(new RetriedDocument(retried.Items, await documents.OfAsync(record.Id, cancellation)), RequestJson.Options);
    }
}
