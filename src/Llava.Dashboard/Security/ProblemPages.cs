using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Llava.Dashboard.Security;

/// <summary>Shows people a page where an answer would be a bare status.</summary>
internal static class ProblemPages
{
    public static void UseProblemPages(this IApplicationBuilder app) => app.UseWhen(
        context => context.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.Ordinal) && !context.Request.Headers.ContainsKey("HX-Request"),
        people => people.UseStatusCodePagesWithReExecute("/problem/{0}"));
}
