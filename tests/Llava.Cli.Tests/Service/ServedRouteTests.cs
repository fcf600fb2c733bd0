using Llava.Cli.Service;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;

namespace Llava.Cli.Tests.Service;

/// <summary>The routes of <c>llava serve dashboard</c> as it is put together, with everything that a test's own host leaves out.</summary>
public sealed class ServedRouteTests : IDisposable
{
    private static readonly string[] Open = ["login", "problem/", "assets/", "alive", "health"];

    private readonly DirectoryInfo _data = Directory.CreateTempSubdirectory("llava-routes-");

    public void Dispose() => _data.Delete(recursive: true);

    [Fact]
    public async Task Every_route_names_its_policy_or_is_open_on_purpose()
    {
        await using var app = ServiceHost.Build(new HashSet<Role> { Role.Dashboard }, [], _data.FullName, []);
        var routes = ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>().ToList();

        Assert.Contains(routes, route => PathOf(route) == "metrics");
        Assert.All(routes, route =>
        {
            var isOpen = route.Metadata.GetMetadata<IAllowAnonymous>() is not null;
            Assert.True(isOpen == Open.Any(open => PathOf(route).StartsWith(open, StringComparison.Ordinal)), $"'{route.DisplayName}' is {(isOpen ? "open" : "closed")} and should not be.");
            Assert.True(isOpen || route.Metadata.GetOrderedMetadata<IAuthorizeData>().Any(data => !string.IsNullOrEmpty(data.Policy)), $"'{route.DisplayName}' names no policy.");
        });
    }

    private static string PathOf(RouteEndpoint route) => route.RoutePattern.RawText!.TrimStart('/');
}
