using Llava.Dashboard.Api;
using Llava.Ledger.Keys;
using Microsoft.AspNetCore.Routing;

namespace Llava.Dashboard.Navigation;

/// <summary>What stands in the navigation: all lines whose page this host has and whose role the reader has.</summary>
internal sealed class SiteMap(EndpointDataSource endpoints)
{
    private static readonly (string Heading, PageLink[] Links)[] Groups =
    [
        ("Work", [new("Overview", "/", "overview"), new("Jobs", "/jobs", "jobs"), new("Compare", "/compare", "compare"), new("Playground", "/playground", "playground", AccessRole.Operator)]),
        ("Models", [new("Training", "/training", "training"), new("Models", "/models", "models"), new("Files", "/files", "files")]),
        ("Operation", [
            new("Consumers", "/consumers", "consumers"), new("Schedules", "/schedules", "schedules"),
            new("Recurring tasks", "/hangfire", "recurring"), new("Webhooks", "/webhooks", "webhooks"), new("API keys", "/keys", "keys", AccessRole.Admin),
            new("Audit", "/audit", "audit", AccessRole.Admin)]),
    ];

    private readonly Lazy<HashSet<string>> _paths = new(() => [.. endpoints.Endpoints.OfType<RouteEndpoint>().Select(PathOf)]);

    /// <summary>The groups of lines for this reader.</summary>
    public IEnumerable<(string Heading, IReadOnlyList<PageLink> Links)> For(Caller reader)
    {
        foreach (var (heading, links) in Groups)
        {
            PageLink[] shown = [.. links.Where(link => reader.Role >= link.Role && Has(link.Path))];
            if (shown.Length > 0)
            {
                yield return (heading, shown);
            }
        }
    }

    /// <summary>Whether this host has a page at the path.</summary>
    public bool Has(string path) => _paths.Value.Contains(path);

    /// <summary>The fixed part of a route that ends in nothing but a catch-all, and any other route as it is.</summary>
    private static string PathOf(RouteEndpoint endpoint)
    {
        var path = "/" + (endpoint.RoutePattern.RawText ?? "").Trim('/');
        var rest = path.IndexOf("/{*", StringComparison.Ordinal);
        return rest > 0 ? path[..rest] : path;
    }
}
