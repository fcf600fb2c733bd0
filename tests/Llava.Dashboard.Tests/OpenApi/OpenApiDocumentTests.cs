using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Llava.Dashboard.Tests.Api;
using Llava.Dashboard.Tests.Security;
using Llava.Ledger.Keys;
using Llava.Testing;
using Microsoft.AspNetCore.Routing;
using static Llava.Testing.RelativeUri;

namespace Llava.Dashboard.Tests.OpenApi;

/// <summary>What <c>/openapi/v1.json</c> says of both HTTP APIs. The file beside this test is what was approved; LLAVA_WRITE_OPENAPI=1 writes it anew.</summary>
public sealed class OpenApiDocumentTests(Server server) : IClassFixture<Server>
{
    private static readonly string Approved = Repository.Path("tests", "Llava.Dashboard.Tests", "OpenApi", "openapi.json");
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [Fact]
    public async Task The_document_is_what_was_approved()
    {
        var text = (await ReadAsync()).ToJsonString(Indented) + "\n";
        if (Environment.GetEnvironmentVariable("LLAVA_WRITE_OPENAPI") == "1")
        {
            await File.WriteAllTextAsync(Approved, text);
        }

        Assert.Equal(await File.ReadAllTextAsync(Approved), text);
    }

    [Fact]
    public async Task Every_route_of_both_APIs_is_described()
    {
        var document = await ReadAsync();
        var routes = RouteOfApp.All(server.Get<EndpointDataSource>())
            .Where(route => route.Name.Contains(" /api/v1/", StringComparison.Ordinal) || route.Name.Contains(" /v1/", StringComparison.Ordinal))
            .Where(route => !route.Name.EndsWith("/{**path}", StringComparison.Ordinal))
            .ToList();

        Assert.True(routes.Count > 40);
        Assert.All(routes, route =>
        {
            var path = Regex.Replace(route.Name.Split(' ')[1], @"\{\**(\w+)[^}]*\}", "{$1}");
            var operation = document["paths"]![path]?[route.Method.ToLowerInvariant()];
            Assert.True(operation?["summary"] is not null, $"'{route.Name}' is not described.");
            Assert.All((string[])["401", "403", "429"], status => Assert.StartsWith("#/components/responses/", operation["responses"]![status]!["$ref"]!.ToString(), StringComparison.Ordinal));
            Assert.All(operation["parameters"]?.AsArray() ?? [], parameter => Assert.True(parameter!["description"] is not null, $"'{parameter["name"]}' of '{route.Name}' is not described."));
        });
    }

    [Fact]
    public async Task Whatever_is_referred_to_is_there_under_a_name_that_may_be_one()
    {
        var document = await ReadAsync();
        var schemas = document["components"]!["schemas"]!.AsObject();
        var references = Regex.Matches(document.ToJsonString(), "\"#/components/(?<kind>[a-z]+)/(?<name>[^\"]+)\"").Select(match => (Kind: match.Groups["kind"].Value, Name: match.Groups["name"].Value)).Distinct().ToList();

        Assert.True(references.Count > 50);
        Assert.All(references, one => Assert.True(document["components"]![one.Kind]!.AsObject().ContainsKey(one.Name), one.Name));
        Assert.All(schemas, schema => Assert.Matches("^[a-zA-Z0-9._-]+$", schema.Key));
        Assert.All(document["components"]!["responses"]!.AsObject(), response => Assert.Contains("ErrorDocument", response.Value!.ToJsonString(), StringComparison.Ordinal));
        Assert.Contains("key", document["components"]!["securitySchemes"]!.AsObject().Select(scheme => scheme.Key));
        Assert.Contains("job_", schemas["JobDocument"]!["properties"]!["id"]!.ToJsonString() + schemas["JobId"]?.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stranger_does_not_read_it()
    {
        using var stranger = server.Stranger();
        using var answer = await stranger.GetAsync(At("/openapi/v1.json"));

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    private async Task<JsonNode> ReadAsync()
    {
        using var viewer = await server.CallerAsync(AccessRole.Viewer);
        return JsonNode.Parse(await viewer.GetStringAsync(At("/openapi/v1.json")))!;
    }
}
