using Llava.Contracts.Documents;
using Llava.Dashboard.Api;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Llava.Dashboard.OpenApi;

/// <summary>What the document says of each route beyond what ASP.NET sees: its body, its page, its errors, and who may use it.</summary>
internal sealed class RouteOperations : IOpenApiOperationTransformer
{
    private const string Json = "application/json";
    private const string Limit = "limit";

    /// <summary>Answers that a route may give instead of what was asked for, with their names in the document; some of our own API alone.</summary>
    private static readonly (string Status, string Name, bool IsOwn, string Meaning)[] Errors =
    [
        ("400", "bad_request", false, "The request cannot be read; below /v1 also whatever breaks a rule."),
        ("401", "unauthorized", false, "No key, or one that is unknown, expired or revoked."),
        ("403", "forbidden", false, "The role may not do this, or the key acts for another tenant."),
        ("404", "not_found", false, "There is no such thing, or it is another tenant's."),
        ("409", "conflict", true, "The state of the thing does not allow it."),
        ("422", "invalid", true, "Fields are wrong; findings names each of them."),
        ("429", "too_many_requests", false, "Too many requests; wait as long as Retry-After says."),
        ("503", "unavailable", false, "The ledger, a model or the network cannot be reached at the moment."),
    ];

    public async Task TransformAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        var isOwn = context.Description.RelativePath!.StartsWith(ApiHosting.Root[1..], StringComparison.Ordinal);
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        var document = context.Document!;
        operation.Tags = new HashSet<OpenApiTagReference> { new(TagOf(context.Description.RelativePath, isOwn), document) };
        operation.Description = $"For keys of the role {RoleOf(metadata)} or a higher one.";
        foreach (var parameter in operation.Parameters?.OfType<OpenApiParameter>() ?? [])
        {
            parameter.Description = ParameterWords.Of(parameter.Name!);
            // Handlers read it as a text, to refuse in their own words what is no number.
            parameter.Schema = parameter.Name == Limit ? new OpenApiSchema { Type = JsonSchemaType.Integer } : parameter.Schema;
        }

        foreach (var said in metadata)
        {
            switch (said)
            {
                case RouteDescriptions.TakenBody body:
                    operation.RequestBody = new OpenApiRequestBody { Required = body.IsRequired, Content = Content(Json, await SchemaAsync(context, body.Type, cancellationToken)) };
                    break;
                case RouteDescriptions.TakenForm form:
                    operation.RequestBody = new OpenApiRequestBody { Required = true, Content = Content("multipart/form-data", FormSchema(form.Fields)) };
                    break;
                case RouteDescriptions.TakenPage:
                    operation.Parameters ??= [];
                    AddPage(operation.Parameters);
                    break;
                case RouteDescriptions.StreamedAnswer stream:
                    operation.Responses!["200"].Content!["text/event-stream"] = new OpenApiMediaType { Schema = await SchemaAsync(context, stream.Type, cancellationToken) };
                    break;
            }
        }

        var error = await SchemaAsync(context, typeof(ErrorDocument), cancellationToken);
        foreach (var (status, name, _, meaning) in Errors.Where(one => isOwn || !one.IsOwn))
        {
            document.AddComponent<IOpenApiResponse>(name, new OpenApiResponse { Description = meaning, Content = Content(Json, error) });
            operation.Responses!.TryAdd(status, new OpenApiResponseReference(name, document));
        }
    }

    private static string TagOf(string path, bool isOwn) => isOwn ? path.Split('/')[2] : $"OpenAI: {path.Split('/')[1]}";

    private static string RoleOf(IEnumerable<object> metadata) =>
        metadata.OfType<IAuthorizeData>().Select(data => data.Policy).OfType<string>().Last(policy => policy.StartsWith(ApiAccess.PolicyPrefix, StringComparison.Ordinal))[ApiAccess.PolicyPrefix.Length..];

    private static Dictionary<string, OpenApiMediaType> Content(string type, IOpenApiSchema schema) => new() { [type] = new() { Schema = schema } };

    /// <summary>The schema of a type, by its name where the document has it by name.</summary>
    private static async Task<IOpenApiSchema> SchemaAsync(OpenApiOperationTransformerContext context, Type type, CancellationToken cancellation)
    {
        context.Document!.AddComponent(type.Name, await context.GetOrCreateSchemaAsync(type, null, cancellation));
        return new OpenApiSchemaReference(type.Name, context.Document);
    }

    private static OpenApiSchema FormSchema(IReadOnlyList<string> fields) => new()
    {
        Type = JsonSchemaType.Object,
        Properties = fields.Select((name, index) => (name, index)).ToDictionary(field => field.name, IOpenApiSchema (field) => new OpenApiSchema
        {
            Type = JsonSchemaType.String,
            Format = field.index == 0 ? "binary" : null,
            Description = ParameterWords.Of(field.name),
        }),
        // Objects of a form, spelled with brackets, may be left out.
        Required = fields.Where(name => !name.Contains('[', StringComparison.Ordinal)).ToHashSet(),
    };

    private static void AddPage(IList<IOpenApiParameter> parameters)
    {
        foreach (var (name, type) in (IEnumerable<(string, JsonSchemaType)>)[("after", JsonSchemaType.String), (Limit, JsonSchemaType.Integer), ("order", JsonSchemaType.String)])
        {
            parameters.Add(new OpenApiParameter { Name = name, In = ParameterLocation.Query, Description = ParameterWords.Of(name), Schema = new OpenApiSchema { Type = type } });
        }
    }
}
