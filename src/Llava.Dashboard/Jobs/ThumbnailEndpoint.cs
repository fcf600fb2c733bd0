using Llava.Contracts;
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
        async (string job, int item, int image, ResultReader results, IThumbnails thumbnails, HttpContext context) =>
        {
            var found = JobId.TryParse(job, null, out var id) ? await results.FindAsync(id, item, context.RequestAborted) : null;
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
        });
}
