using System.Globalization;
using Llava.Dashboard.Api;
using Llava.Dashboard.OpenApi;
using Llava.Ledger.Batches;
using Llava.Ledger.Keys;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Llava.Dashboard.OpenAi.Batches;

/// <summary><c>/batches</c>: create, read, list and cancel batches; and their lines while they run, which OpenAI has not.</summary>
internal static class BatchRoutes
{
    private const int UsualLimit = 20;
    private const int MaxLimit = 100;

    /// <summary>How often whoever waits for a batch is asked to look.</summary>
    private const int LookEverySeconds = 5;

    public static void MapBatches(this RouteGroupBuilder api)
    {
        api.MapPost("/batches", CreateAsync).RequireRole(AccessRole.Operator).WithSummary("Creates a batch").Takes<BatchBody>().Produces<BatchObject>();
        api.MapGet("/batches", ListAsync).RequireRole(AccessRole.Viewer).WithSummary("Lists batches").TakesPage().Produces<OpenAiPage<BatchObject>>();
        api.MapGet("/batches/{batch}", ReadAsync).RequireRole(AccessRole.Viewer).WithSummary("Shows a batch").Produces<BatchObject>();
        api.MapGet("/batches/{batch}/output", (HttpContext context, Caller caller, BatchViews batches, BatchPublication lines, string batch) => SendLinesAsync(context, caller, batches, lines, batch, errors: false)).RequireRole(AccessRole.Viewer)
            .WithSummary("Reads the answered lines there are while the batch runs").Produces<Stream>(StatusCodes.Status200OK, "application/jsonl");
        api.MapGet("/batches/{batch}/errors", (HttpContext context, Caller caller, BatchViews batches, BatchPublication lines, string batch) => SendLinesAsync(context, caller, batches, lines, batch, errors: true)).RequireRole(AccessRole.Viewer)
            .WithSummary("Reads the failed lines there are while the batch runs").Produces<Stream>(StatusCodes.Status200OK, "application/jsonl");
        api.MapPost("/batches/{batch}/cancel", CancelAsync).RequireRole(AccessRole.Operator).WithSummary("Cancels a batch").Produces<BatchObject>();
    }

    private static async Task<IResult> CreateAsync(HttpRequest http, Caller caller, BatchRequests requests, BatchStore store, BatchViews batches, CancellationToken cancellation)
    {
        var (description, job) = await requests.ReadAsync(http, caller, cancellation);
        return Answer(http.HttpContext, await batches.DescribeAsync(await store.CreateAsync(description, job, cancellation), cancellation));
    }

    private static async Task<IResult> ListAsync(HttpRequest request, Caller caller, BatchStore store, BatchViews batches, CancellationToken cancellation)
    {
        var query = PageQuery.Of(request, UsualLimit, MaxLimit);
        List<BatchObject> found = [];
        foreach (var batch in await store.ListAsync(caller.Confinement, query.After, query.Fetch, cancellation))
        {
            found.Add(await batches.DescribeAsync(batch, cancellation));
        }

        return Results.Json(query.Page(found, batch => batch.Id), BatchJson.Default.OpenAiPageBatchObject);
    }

    private static async Task<IResult> ReadAsync(HttpContext context, Caller caller, BatchViews batches, string batch, CancellationToken cancellation) =>
        Answer(context, await batches.DescribeAsync(await batches.FindAsync(caller, batch, cancellation), cancellation));

    private static async Task<IResult> CancelAsync(HttpContext context, Caller caller, BatchStore store, BatchViews batches, string batch, CancellationToken cancellation) =>
        Answer(context, await batches.DescribeAsync(await store.CancelAsync(await batches.FindAsync(caller, batch, cancellation), cancellation), cancellation));

    private static async Task SendLinesAsync(HttpContext context, Caller caller, BatchViews batches, BatchPublication lines, string batch, bool errors)
    {
        var cancellation = context.RequestAborted;
        var job = await batches.JobAsync(await batches.FindAsync(caller, batch, cancellation), cancellation);
        context.Response.ContentType = "application/jsonl";
        await foreach (var line in lines.LinesAsync(job, errors, cancellation))
        {
            await context.Response.Body.WriteAsync(line, cancellation);
        }
    }

    private static IResult Answer(HttpContext context, BatchObject batch)
    {
        if (batch.XQueue is not null)
        {
            context.Response.Headers.RetryAfter = LookEverySeconds.ToString(CultureInfo.InvariantCulture);
        }

        return Results.Json(batch, BatchJson.Default.BatchObject);
    }
}
