using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Llava.Dashboard.OpenApi;

/// <summary>What the document says of all routes: what it is, and how a caller shows who it is.</summary>
internal sealed class DocumentFrame : IOpenApiDocumentTransformer
{
    private const string Key = "key";

    public Task TransformAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancellationToken)
    {
        document.Info = new()
        {
            Title = "Llava.Batch",
            Version = "v1",
            Description = "Vision-language work as durable jobs. /api/v1 is our own API (docs/api.md); /v1 speaks the words of OpenAI's (docs/openai.md, docs/chat.md, docs/fine-tuning.md).",
            License = new() { Name = "Apache-2.0", Identifier = "Apache-2.0" },
        };
        document.Tags = document.Paths.Values.SelectMany(path => path.Operations!.Values).SelectMany(operation => operation.Tags!)
            .Select(tag => tag.Reference.Id!).Distinct().Select(name => new OpenApiTag { Name = name }).ToHashSet();
        // Which server it is, whoever reads it knows.
        document.Servers = [];
        document.Components ??= new();
        document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
        {
            [Key] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = "bearer",
                BearerFormat = "llava_<id>_<secret>",
                Description = "A key of `llava keys create`. Whoever signed in on the pages may use their cookie instead.",
            },
        };
        document.Security = [new() { [new OpenApiSecuritySchemeReference(Key, document)] = [] }];
        return Task.CompletedTask;
    }
}
