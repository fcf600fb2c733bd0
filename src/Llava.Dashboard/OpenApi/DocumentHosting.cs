using System.Text.Json;
using System.Text.Json.Serialization;
using Llava.Dashboard.Api;
using Llava.Dashboard.OpenAi;
using Llava.Ledger.Keys;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.DependencyInjection;

namespace Llava.Dashboard.OpenApi;

/// <summary>Puts <c>/openapi/v1.json</c> into the dashboard's host: both HTTP APIs as an OpenAPI document.</summary>
internal static class DocumentHosting
{
    private const string Route = "/openapi/{documentName}.json";

    public static void AddOpenApiDocument(this IServiceCollection services)
    {
        // Schemas name fields as the documents do that are written.
        services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
            json.SerializerOptions.NumberHandling = JsonNumberHandling.Strict;
        });
        services.AddOpenApi(options =>
        {
            options.ShouldInclude = route => IsBelow(route.RelativePath, ApiHosting.Root) || IsBelow(route.RelativePath, OpenAiHosting.Root);
            // What stands in a generic type's brackets may not stand in a name.
            options.CreateSchemaReferenceId = type => OpenApiOptions.CreateDefaultSchemaReferenceId(type)?.Replace("[]", "s", StringComparison.Ordinal);
            options.AddDocumentTransformer<DocumentFrame>();
            options.AddOperationTransformer<RouteOperations>();
            options.AddSchemaTransformer<WireNameSchemas>();
        });
    }

    public static void MapOpenApiDocument(this WebApplication app) => app.MapOpenApi(Route).RequireRole(AccessRole.Viewer);

    private static bool IsBelow(string? path, string root) => path?.StartsWith(root[1..] + "/", StringComparison.Ordinal) == true;
}
