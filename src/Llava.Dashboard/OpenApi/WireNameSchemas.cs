using System.Text.Json.Nodes;
using Llava.Contracts;
using Llava.Contracts.States;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Llava.Dashboard.OpenApi;

/// <summary>Schemas of what is written as one word by a converter of ours, in which a generator sees nothing.</summary>
internal sealed class WireNameSchemas : IOpenApiSchemaTransformer
{
    private static readonly Dictionary<Type, IReadOnlyList<string>> Names = new()
    {
        [typeof(JobState)] = NamesOf(JobStates.Table),
        [typeof(ItemOutcome)] = NamesOf(ItemOutcomes.Table),
        [typeof(PartState)] = NamesOf(PartStates.Table),
    };

    public Task TransformAsync(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken cancellationToken)
    {
        var type = Nullable.GetUnderlyingType(context.JsonTypeInfo.Type) ?? context.JsonTypeInfo.Type;
        if (Names.TryGetValue(type, out var names))
        {
            schema.Type = JsonSchemaType.String;
            schema.Enum = [.. names.Select(name => (JsonNode)name)];
        }
        else if (type == typeof(JobId))
        {
            schema.Type = JsonSchemaType.String;
            schema.Pattern = "^job_[0-9a-z]{13}$";
        }

        return Task.CompletedTask;
    }

    private static IReadOnlyList<string> NamesOf<TState>(StateTable<TState> table)
        where TState : struct, Enum => [.. table.States.Select(table.WireName)];
}
