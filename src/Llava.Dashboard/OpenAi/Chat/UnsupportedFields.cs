using System.Text.Json;

namespace Llava.Dashboard.OpenAi.Chat;

/// <summary>Fields whose wish cannot be granted: whoever sends one is told so, instead of getting an answer that passes over it.</summary>
internal static class UnsupportedFields
{
    /// <exception cref="OpenAiException">The request asks for something that no model here does; the message names the field.</exception>
    public static void Refuse(ChatBody body)
    {
        // An empty list of tools and a choice of none of them ask for nothing.
        Require(IsEmpty(body.Tools), "tools", "the models here call no tools");
        Require(IsText(body.ToolChoice, "none", "auto"), "tool_choice", "the models here call no tools");
        Require(IsEmpty(body.Functions), "functions", "the models here call no functions");
        Require(IsText(body.FunctionCall, "none", "auto"), "function_call", "the models here call no functions");
        Require(IsNothing(body.Audio), "audio", "the models here neither hear nor speak");
        Require(IsNothing(body.Modalities) || (body.Modalities is { ValueKind: JsonValueKind.Array } all && all.EnumerateArray().All(one => IsText(one, "text"))), "modalities", "only [\"text\"] is answered");
        Require(IsNothing(body.Prediction), "prediction", "predicted outputs are not made use of");
        Require(IsNothing(body.WebSearchOptions), "web_search_options", "the models here search nothing");
        Require(IsNothing(body.GuidedGrammar), "guided_grammar", "grammars are not read; say it with a JSON schema or a regular expression");
        Require(IsNothing(body.Priority) || (body.Priority is { ValueKind: JsonValueKind.Number } priority && priority.TryGetInt32(out var number) && number == 0), "priority", "chats all go first; only 0 is taken");
        Require(IsEmpty(body.MmProcessorKwargs), "mm_processor_kwargs", "images are prepared as the model was trained");
        Require(body.AddGenerationPrompt is null or { ValueKind: JsonValueKind.Null or JsonValueKind.True }, "add_generation_prompt", "the assistant always has the next word");
        Require(body.ContinueFinalMessage is null or { ValueKind: JsonValueKind.Null or JsonValueKind.False }, "continue_final_message", "the last message must be the user's");
        Require(IsNothing(body.ChatTemplate), "chat_template", "the model's own template is used");
        Require(IsEmpty(body.ChatTemplateKwargs), "chat_template_kwargs", "templates take no arguments");
        Require(IsNothing(body.Suffix), "suffix", "nothing can be inserted before a text");
        Require(body.Echo is null or { ValueKind: JsonValueKind.Null or JsonValueKind.False }, "echo", "the prompt is not said back");
        Require(IsNothing(body.BestOf) || (body.BestOf is { ValueKind: JsonValueKind.Number } best && best.TryGetInt32(out var count) && count == 1), "best_of", "ask for 'n' answers and choose");
    }

    private static bool IsNothing(JsonElement? value) => value is null or { ValueKind: JsonValueKind.Null };

    private static bool IsEmpty(JsonElement? value) => IsNothing(value)
        || (value is { ValueKind: JsonValueKind.Array } array && array.GetArrayLength() == 0)
        || (value is { ValueKind: JsonValueKind.Object } fields && !fields.EnumerateObject().Any());

    private static bool IsText(JsonElement? value, params ReadOnlySpan<string> allowed)
    {
        if (IsNothing(value))
        {
            return true;
        }

        return value is { ValueKind: JsonValueKind.String } text && allowed.Contains(text.GetString());
    }

    private static void Require(bool asksForNothing, string field, string why)
    {
        if (!asksForNothing)
        {
            throw OpenAiException.Invalid("unsupported_parameter", $"'{field}' is not supported here: {why}. Leave it out.", field);
        }
    }
}
