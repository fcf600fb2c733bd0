using Llava.Contracts.Requests;
using Llava.Dashboard.Api;
using Llava.Dashboard.OpenApi;
using Llava.Ledger.Keys;
using Llava.Ledger.Schedules;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Llava.Dashboard.Schedules;

/// <summary><c>/schedules</c>: what is done again and again for the caller's tenant (docs/api.md).</summary>
internal static class ScheduleEndpoints
{
    public static void MapSchedules(this RouteGroupBuilder api)
    {
        api.MapGet("/schedules", ListAsync).RequireRole(AccessRole.Viewer).WithSummary("Lists schedules").Produces<ScheduleListDocument>();
        api.MapGet("/schedules/{name}", ReadAsync).RequireRole(AccessRole.Viewer).WithSummary("Shows a schedule and what it made last").Produces<ScheduleDocument>();
        api.MapPut("/schedules/{name}", KeepAsync).RequireRole(AccessRole.Operator)
            .WithSummary("Makes a schedule, or puts it in the place of the one of its name").Takes<ScheduleBody>().Produces<ScheduleDocument>(StatusCodes.Status201Created).Produces<ScheduleDocument>();
        api.MapDelete("/schedules/{name}", RemoveAsync).RequireRole(AccessRole.Operator).WithSummary("Removes a schedule; what it made stays").Produces(StatusCodes.Status204NoContent);
        api.MapPost("/schedules/{name}/pause", (Caller caller, ScheduleDocuments documents, string name, CancellationToken cancellation) =>
            documents.ShowAsync(schedules => schedules.PauseAsync(caller.Tenant, name, cancellation), cancellation)).RequireRole(AccessRole.Operator)
            .WithSummary("Keeps a schedule from firing").Produces<ScheduleDocument>();
        api.MapPost("/schedules/{name}/resume", (Caller caller, ScheduleDocuments documents, string name, CancellationToken cancellation) =>
            documents.ShowAsync(schedules => schedules.ResumeAsync(caller.Tenant, name, cancellation), cancellation)).RequireRole(AccessRole.Operator)
            .WithSummary("Lets a paused schedule fire again").Produces<ScheduleDocument>();
        api.MapPost("/schedules/{name}/run", RunAsync).RequireRole(AccessRole.Operator).WithSummary("Submits a schedule's job or training run now").Produces<FiredDocument>();
    }

    private static async Task<IResult> ListAsync(Caller caller, ScheduleDocuments documents, CancellationToken cancellation)
    {
        List<ScheduleDocument> schedules = [];
        foreach (var schedule in await documents.Schedules.ListAsync(caller.Tenant, cancellation))
        {
            schedules.Add(await documents.DocumentAsync(schedule, 1, cancellation));
        }

        return Results.Json(new ScheduleListDocument(schedules), RequestJson.Options);
    }

    private static Task<IResult> ReadAsync(Caller caller, ScheduleDocuments documents, string name, CancellationToken cancellation) =>
        documents.ShowAsync(schedules => schedules.ReadAsync(caller.Tenant, name, cancellation), cancellation);

    /// <summary>Makes the schedule, or puts it in the place of the one of its name.</summary>
    private static async Task<IResult> KeepAsync(HttpRequest http, Caller caller, ScheduleDocuments documents, string name, CancellationToken cancellation)
    {
        var definition = DefinitionOf(caller, name, ApiJson.Read<ScheduleBody>(await ApiJson.ReadAsync(http, cancellation)));
        try
        {
            return await documents.ShowAsync(schedules => schedules.AddAsync(definition, cancellation), cancellation, StatusCodes.Status201Created);
        }
        catch (ScheduleExistsException)
        {
            return await documents.ShowAsync(schedules => schedules.ReplaceAsync(definition, cancellation), cancellation);
        }
    }

    private static async Task<IResult> RemoveAsync(Caller caller, ScheduleStore schedules, string name, CancellationToken cancellation)
    {
        await schedules.DeleteAsync(caller.Tenant, name, cancellation);
        return Results.NoContent();
    }

    private static async Task<IResult> RunAsync(Caller caller, ScheduleFiring firing, string name, CancellationToken cancellation)
    {
        var fire = await firing.RunAsync(caller.Tenant, name, cancellation);
        return Results.Json(new FiredDocument(fire.Outcome == ScheduleOutcome.Submitted, fire.Job?.ToString(), fire.Run, fire.Reason), RequestJson.Options);
    }

    private static ScheduleDefinition DefinitionOf(Caller caller, string name, ScheduleBody body) => new()
    {
        Name = name,
        Kind = Named<ScheduleKind>("kind", body.Kind),
        Cron = body.Cron,
        TimeZone = body.TimeZone,
        Request = body.Request is null ? null : body.Request with { Tenant = caller.Tenant },
        Training = body.Training is null ? null : body.Training with { Tenant = caller.Tenant },
        OnlyNew = body.OnlyNew,
        Overlap = Named<ScheduleOverlap>("overlap", body.Overlap),
    };

    private static T Named<T>(string field, string word)
        where T : struct, Enum
    {
        var words = Array.ConvertAll(Enum.GetNames<T>(), name => name.ToLowerInvariant());
        return words.Contains(word) ? Enum.Parse<T>(word, ignoreCase: true) : throw ApiQuery.Wrong(field, word, string.Join(", ", words));
    }
}
