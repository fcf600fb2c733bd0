using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;

namespace Llava.Dashboard.Tests.Security;

/// <summary>A route of the application with one of its methods and what it asks for.</summary>
/// <param name="Name">Such as <c>GET /api/v1/jobs/{job}</c>.</param>
/// <param name="Policies">Names of its policies; empty where it names none.</param>
/// <param name="IsOpen">Whether it is said to be for everybody.</param>
public sealed partial record RouteOfApp(string Name, IReadOnlyList<string> Policies, bool IsOpen)
{
    public string Method => Name.Split(' ')[0];

    /// <summary>Every route with each of its methods; a page answers to reading and to posting.</summary>
    public static List<RouteOfApp> All(EndpointDataSource endpoints) =>
    [
        .. endpoints.Endpoints.OfType<RouteEndpoint>().SelectMany(endpoint => Methods(endpoint).Select(method => new RouteOfApp(
            $"{method} /{endpoint.RoutePattern.RawText!.TrimStart('/')}",
            [.. endpoint.Metadata.GetOrderedMetadata<IAuthorizeData>().Select(data => data.Policy ?? "").Where(policy => policy.Length > 0).Distinct()],
            endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null))).DistinctBy(route => route.Name),
    ];

    /// <summary>A request for it, with these values for its places and 1 for all others.</summary>
    public HttpRequestMessage Request(params (string Place, string Value)[] values)
    {
        var path = values.Aggregate(Name.Split(' ')[1], (path, value) => Regex.Replace(path, $$"""\{\**{{value.Place}}[^}]*\}""", value.Value));
        return new(HttpMethod.Parse(Method), Place().Replace(path, "1"));
    }

    private static IEnumerable<string> Methods(RouteEndpoint endpoint) => endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods is { Count: > 0 } methods ? methods : ["GET", "POST"];

    [GeneratedRegex(@"\{[^}]*\}")]
    private static partial Regex Place();
}
