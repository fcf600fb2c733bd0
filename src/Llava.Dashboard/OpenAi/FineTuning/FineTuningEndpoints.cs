using Llava.Dashboard.Api;
using Llava.Dashboard.OpenApi;
using Llava.Ledger.Files;
using Llava.Ledger.Keys;
using Llava.Ledger.Training;
using Llava.Ledger.Workers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Llava.Dashboard.OpenAi.FineTuning;

/// <summary><c>/fine_tuning/jobs</c>: create, list, read, steer and follow training runs.</summary>
internal static class FineTuningEndpoints
{
    private const int DefaultLimit = 20;
    private const int DefaultCheckpoints = 10;
    private const int MaxLimit = 100;

    public static void MapFineTuning(this RouteGroupBuilder api)
    {
        const string Job = "/fine_tuning/jobs/{job}";
        api.MapPost("/fine_tuning/jobs", CreateAsync).RequireRole(AccessRole.Operator).WithSummary("Starts a training run").Takes<FineTuningRequest>().Produces<FineTuningObject>();
        api.MapGet("/fine_tuning/jobs", ListAsync).RequireRole(AccessRole.Viewer).WithSummary("Lists training runs").TakesPage().Produces<OpenAiPage<FineTuningObject>>();
        api.MapGet(Job, async (Caller caller, TrainingRuns runs, string job, CancellationToken cancellation) =>
            Answer(await runs.ReadAsync(job, caller.Confinement, cancellation))).RequireRole(AccessRole.Viewer).WithSummary("Shows a training run").Produces<FineTuningObject>();
        api.MapPost(Job + "/cancel", async (Caller caller, TrainingRuns runs, string job, CancellationToken cancellation) =>
            Answer(await runs.CancelAsync(job, caller.Confinement, cancellation))).RequireRole(AccessRole.Operator).WithSummary("Cancels a training run").Produces<FineTuningObject>();
        api.MapPost(Job + "/pause", async (Caller caller, TrainingRuns runs, string job, CancellationToken cancellation) =>
            Answer(await runs.PauseAsync(job, caller.Confinement, cancellation))).RequireRole(AccessRole.Operator).WithSummary("Pauses a training run at its next step").Produces<FineTuningObject>();
        api.MapPost(Job + "/resume", async (Caller caller, TrainingRuns runs, string job, CancellationToken cancellation) =>
            Answer(await runs.ResumeAsync(job, caller.Confinement, cancellation))).RequireRole(AccessRole.Operator).WithSummary("Resumes a paused training run").Produces<FineTuningObject>();
        api.MapGet(Job + "/events", EventsAsync).RequireRole(AccessRole.Viewer).WithSummary("Lists what happened in a training run").TakesPage().Produces<OpenAiPage<FineTuningEventObject>>();
        api.MapGet(Job + "/checkpoints", CheckpointsAsync).RequireRole(AccessRole.Viewer).WithSummary("Lists the checkpoints of a training run").TakesPage().Produces<OpenAiPage<FineTuningCheckpointObject>>();
    }

    private static async Task<IResult> CreateAsync(
        HttpRequest http, Caller caller, OpenAiBody body, TrainingRuns runs, FileStore files, WorkerRegistry workers, TrainedModelOwners owners, CancellationToken cancellation)
    {
        var request = FineTuningReader.Read(await body.ReadAsync(http, FineTuningJson.Default.FineTuningRequest, cancellation), caller.Tenant);
        request = await BaseModels.FindAsync(workers, owners, caller, request, cancellation);
        await BaseModels.RequireFileAsync(files, caller, request.TrainingFile, "training_file", cancellation);
        if (request.ValidationFile is { } validation)
        {
            await BaseModels.RequireFileAsync(files, caller, validation, "validation_file", cancellation);
        }

        return Answer(await runs.CreateAsync(request, cancellation));
    }

    private static async Task<IResult> ListAsync(HttpRequest request, Caller caller, TrainingRuns runs, CancellationToken cancellation)
    {
        var query = PageQuery.Of(request, DefaultLimit, MaxLimit);
        var filter = MetadataFilter.Of(request);
        List<TrainingRunRecord> found = [];
        for (var after = query.After; found.Count < query.Fetch;)
        {
            var page = await runs.ListAsync(caller.Confinement, after, MaxLimit, cancellation);
            found.AddRange(page.Where(filter.Takes).Take(query.Fetch - found.Count));
            if (page.Count < MaxLimit)
            {
                break;
            }

            after = page[^1].Id;
        }

        return Results.Json(query.Page([.. found.Select(FineTuningObject.Of)], job => job.Id), FineTuningJson.Default.OpenAiPageFineTuningObject);
    }

    private static async Task<IResult> EventsAsync(HttpRequest request, Caller caller, TrainingRuns runs, string job, CancellationToken cancellation)
    {
        var query = PageQuery.Of(request, DefaultLimit, MaxLimit);
        var run = await runs.ReadAsync(job, caller.Confinement, cancellation);
        var found = await runs.EventsAsync(run.Id, HistoryIds.Read(query.After), query.Fetch, cancellation);
        return Results.Json(query.Page([.. found.Select(one => FineTuningEventObject.Of(run.Id, one))], one => one.Id), FineTuningJson.Default.OpenAiPageFineTuningEventObject);
    }

    private static async Task<IResult> CheckpointsAsync(HttpRequest request, Caller caller, TrainingRuns runs, string job, CancellationToken cancellation)
    {
        var query = PageQuery.Of(request, DefaultCheckpoints, MaxLimit);
        var run = await runs.ReadAsync(job, caller.Confinement, cancellation);
        var found = await runs.CheckpointsAsync(run.Id, HistoryIds.Read(query.After), query.Fetch, cancellation);
        return Results.Json(query.Page([.. found.Select(one => FineTuningCheckpointObject.Of(run, one))], one => one.Id), FineTuningJson.Default.OpenAiPageFineTuningCheckpointObject);
    }

    private static IResult Answer(TrainingRunRecord run) => Results.Json(FineTuningObject.Of(run), FineTuningJson.Default.FineTuningObject);
}
