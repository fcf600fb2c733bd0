using Llava.Contracts.Documents;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Dashboard.Api;
using Llava.Dashboard.OpenApi;
using Llava.Ledger.Jobs;
using Llava.Ledger.Keys;
using Llava.Ledger.Reviews;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Llava.Dashboard.Reviews;

/// <summary><c>GET</c> and <c>POST /jobs/{id}/items/{item}/reviews</c>, <c>GET /jobs/{id}/reviews</c>, and <c>POST /jobs/{id}/training-file</c>.</summary>
internal static class ReviewEndpoints
{
    public static void MapReviews(this RouteGroupBuilder api)
    {
        api.MapGet("/jobs/{job}/reviews", CountAsync).RequireRole(AccessRole.Viewer).WithSummary("Counts what is reviewed of a job").Produces<ReviewCountsDocument>();
        api.MapGet("/jobs/{job}/items/{item:int}/reviews", HistoryAsync).RequireRole(AccessRole.Viewer).WithSummary("Lists the reviews of an item").Produces<ListDocument<ReviewDocument>>();
        api.MapPost("/jobs/{job}/items/{item:int}/reviews", AddAsync).RequireRole(AccessRole.Operator)
            .WithSummary("Says what an answer is worth").Takes<ReviewRequest>().Produces<ReviewDocument>(StatusCodes.Status201Created);
        api.MapPost("/jobs/{job}/training-file", TrainAsync).RequireRole(AccessRole.Operator)
            .WithSummary("Makes a file to train on of the answers that were accepted or edited").Takes<TrainingFileRequest>().Produces<TrainingFileDocument>(StatusCodes.Status201Created);
    }

    private static async Task<IResult> CountAsync(Caller caller, JobReader jobs, ReviewStore reviews, string job, CancellationToken cancellation)
    {
        var counts = await reviews.CountsAsync((await caller.JobAsync(jobs, job, cancellation)).Id, cancellation);
        return Json(new ReviewCountsDocument(counts.Accepted, counts.Edited, counts.Rejected));
    }

    private static async Task<IResult> HistoryAsync(Caller caller, JobReader jobs, ReviewStore reviews, string job, int item, CancellationToken cancellation)
    {
        var record = await caller.JobAsync(jobs, job, cancellation);
        return Json(new ListDocument<ReviewDocument>([.. (await reviews.HistoryAsync(record.Id, item, cancellation)).Select(Of)]));
    }

    private static async Task<IResult> AddAsync(HttpRequest http, Caller caller, JobReader jobs, ReviewStore reviews, string job, int item, CancellationToken cancellation)
    {
        var record = await caller.JobAsync(jobs, job, cancellation);
        var body = ApiJson.Read<ReviewRequest>(await ApiJson.ReadAsync(http, cancellation));
        var reviewer = http.HttpContext.User.Identity?.Name ?? caller.Id;
        return Results.Json(Of(await reviews.AddAsync(record.Id, item, body.Verdict, body.Text, reviewer, cancellation)), RequestJson.Options, statusCode: StatusCodes.Status201Created);
    }

    private static async Task<IResult> TrainAsync(HttpRequest http, Caller caller, JobReader jobs, TrainingFiles training, string job, CancellationToken cancellation)
    {
        var record = await caller.JobAsync(jobs, job, cancellation);
        var body = ApiJson.Read<TrainingFileRequest>(await ApiJson.ReadAsync(http, cancellation));
        var file = await training.CreateAsync(record, body.Format, cancellation);
        return Results.Json(new TrainingFileDocument(file.Id, file.Name, file.Purpose, file.Bytes), RequestJson.Options, statusCode: StatusCodes.Status201Created);
    }

    private static ReviewDocument Of(Review review) => new(review.Number, review.Verdict, review.Text, review.Original, review.Reviewer, review.At);

    private static IResult Json<T>(T document) => Results.Json(document, RequestJson.Options);
}
