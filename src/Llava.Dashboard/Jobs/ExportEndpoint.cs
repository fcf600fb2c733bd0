using Llava.Contracts;
using Llava.Dashboard.Api;
using Llava.Ledger.Jobs;
using Llava.Ledger.Keys;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Llava.Dashboard.Jobs;

/// <summary><c>GET /jobs/{id}/export?format=</c> for the pages, and <c>GET /api/v1/jobs/{id}/export?format=</c> for programs: results as a file, streamed.</summary>
internal static class ExportEndpoint
{
    public static void MapExport(this IEndpointRouteBuilder routes) => routes.MapGet("/jobs/{job}/export", DownloadAsync).RequireRole(AccessRole.Viewer);

    public static void MapExportApi(this RouteGroupBuilder api) => api.MapGet("/jobs/{job}/export", ExportAsync).RequireRole(AccessRole.Viewer)
        .WithSummary("Streams the results of a job as a file").Produces<Stream>(StatusCodes.Status200OK, "application/octet-stream");

    private static async Task<IResult> DownloadAsync(Caller caller, JobReader jobs, IJobExports exports, string job, string? format, CancellationToken cancellation)
    {
        try
        {
            return await ExportAsync(caller, jobs, exports, job, format, cancellation);
        }
        catch (Exception missing) when (missing is ApiException or JobNotFoundException)
        {
            return Results.NotFound();
        }
    }

    private static async Task<IResult> ExportAsync(Caller caller, JobReader jobs, IJobExports exports, string job, string? format, CancellationToken cancellation)
    {
        var record = await caller.JobAsync(jobs, job, cancellation);
        var chosen = exports.Formats.FirstOrDefault(known => known.Name == (format ?? "jsonl"))
            ?? throw ApiQuery.Wrong("format", format!, string.Join(", ", exports.Formats.Select(known => known.Name)));
        return Results.Stream(stream => exports.WriteAsync(record, chosen.Name, stream, cancellation), chosen.ContentType, $"{record.Id}{chosen.Suffix}");
    }
}
