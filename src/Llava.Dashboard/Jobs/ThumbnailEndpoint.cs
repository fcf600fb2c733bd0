using Llava.Contracts;
using Llava.Dashboard.Api;
using Llava.Dashboard.Security;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Llava.Dashboard.Jobs;

/// <summary>
/// Images of items, by job and number only: no path ever comes from the browser, and what leaves is a JPEG we encoded ourselves.
/// </summary>
internal static class ThumbnailEndpoint
{
    public static void MapThumbnails(this IEndpointRouteBuilder routes) => routes.MapGet("/jobs/{job}/items/{item:int}/images/{image:int}",
        async (string job, int item, int image, Caller caller, JobReader jobs, ResultReader results, IThumbnails thumbnails, HttpContext context) =>
        {
            if (!JobId.TryParse(job, null, out var id) || await jobs.FindAsync(id, context.RequestAborted) is not { } record || !caller.MaySee(record.Request.Tenant))
            {
                return Results.NotFound();
            }

            var found = await results.FindAsync(id, item, context.RequestAborted);
            if (found is null || image < 0 || image >= found.Images.Count)
            {
                return Results.NotFound();
            }

            var jpeg = await thumbnails.ReadAsync(found.Images[image], context.RequestAborted);
            if (jpeg is null)
            {
                return Results.NotFound();
            }

            context.Response.Headers.CacheControl = "private, max-age=3600";
            return Results.Bytes(jpeg, "image/jpeg");
        }).RequireAuthorization(PageAccess.Viewer);
}
