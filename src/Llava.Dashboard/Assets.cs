using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Llava.Dashboard;

/// <summary>The style sheet and the vendored script, from inside the assembly, so that a host needs no web root.</summary>
internal static class Assets
{
    private static readonly Dictionary<string, string> Types = new()
    {
        ["pages.css"] = "text/css",
        ["htmx-4.0.1.min.js"] = "text/javascript",
    };

    public static void MapAssets(this IEndpointRouteBuilder routes)
    {
        foreach (var (name, type) in Types)
        {
            routes.MapGet($"/assets/{name}", () => Results.Stream(Open(name), type)).AllowAnonymous();
        }
    }

    private static Stream Open(string name) => typeof(Assets).Assembly.GetManifestResourceStream($"assets/{name}")
        ?? throw new InvalidOperationException($"Asset '{name}' is not embedded.");
}
