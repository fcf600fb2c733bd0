using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;

namespace Llava.Dashboard.Security;

/// <summary>Shows people a page where an answer would be a bare status.</summary>
internal static class ProblemPages
{
    // Not in a branch of its own: only the application itself looks for the page's route again.
    public static void UseProblemPages(this WebApplication app)
    {
        app.UseStatusCodePagesWithReExecute("/problem/{0}");
        app.Use((context, next) =>
        {
            if (!IsForPeople(context.Request) && context.Features.Get<IStatusCodePagesFeature>() is { } pages)
            {
                pages.Enabled = false;
            }

            return next(context);
        });
    }

    private static bool IsForPeople(HttpRequest request) =>
        request.Headers.Accept.ToString().Contains("text/html", StringComparison.Ordinal) && !request.Headers.ContainsKey("HX-Request");
}
