using System.Text.Json;
using Llava.Contracts.Interactive;
using Llava.Contracts.Requests;
using Llava.ModelCore.Grammars;

namespace Llava.GpuConsumer.Runners;

/// <summary>What requests say of the form of their answers, in the model core's words.</summary>
public sealed class AnswerShapes : IAnswerShapeCheck
{
    /// <inheritdoc/>
    public IEnumerable<Finding> Check(GenerationSettings generation)
    {
        try
        {
            Of(generation)?.Check();
            return [];
        }
        catch (GrammarException refused)
        {
            return [new(generation.Regex is null ? "generation.json_schema" : "generation.regex", $"{refused.Code}: {refused.Message}")];
        }
    }

    internal static Grammar? Of(GenerationSettings generation) => Of(generation.Regex, generation.JsonSchema);

    internal static Grammar? Of(ChatSettings settings) => settings.JsonObject ? Grammar.OfJsonObject() : Of(settings.Regex, settings.JsonSchema);

    private static Grammar? Of(string? regex, JsonElement? schema) => regex is not null ? Grammar.OfRegex(regex)
        : schema is { } asked ? Grammar.OfJsonSchema(asked.GetRawText())
        : null;
}
