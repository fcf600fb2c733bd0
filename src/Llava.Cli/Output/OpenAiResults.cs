using System.Text.Json;
using Llava.Contracts.States;
using Llava.Ledger;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;

namespace Llava.Cli.Output;

/// <summary>
/// OpenAI's batch output file, or its error file: each item is in exactly one of the two. Ids follow from job and item, so that
/// writing again gives the same file.
/// </summary>
internal sealed class OpenAiResults(TextWriter output, JobRecord job, bool isErrors) : IResultWriter
{
    /// <summary>Failures that are not the caller's.</summary>
    private static readonly string[] OurFault = ["poison_item", "generation_failed"];

    public Task WriteAsync(ItemResult result, CancellationToken cancellationToken) => isErrors == result.Result.Outcome is not ItemOutcome.Succeeded
        ? output.WriteLineAsync(JsonText.Of(json => WriteLine(json, result)).AsMemory(), cancellationToken)
        : Task.CompletedTask;

    public ValueTask DisposeAsync() => output.DisposeAsync();

    private void WriteLine(Utf8JsonWriter json, ItemResult result)
    {
        json.WriteStartObject();
        json.WriteString("id", $"batch_req_{job.Id}_{result.ItemNo}");
        json.WriteString("custom_id", result.CustomId);
        switch (result.Result.Outcome)
        {
            case ItemOutcome.Succeeded:
                WriteResponse(json, result, 200, () => WriteCompletion(json, result));
                break;
            case ItemOutcome.Failed:
                var failure = result.Result.Failure!;
                var isOurs = OurFault.Contains(failure.Code);
                WriteResponse(json, result, isOurs ? 500 : 400, () => WriteError(json, failure, isOurs ? "server_error" : "invalid_request_error"));
                break;
            case ItemOutcome.Cancelled:
                WriteUnanswered(json, "batch_cancelled", "The batch was cancelled before this request was executed.");
                break;
            default:
                WriteUnanswered(json, "batch_expired", "This request could not be executed before the completion window expired.");
                break;
        }

        json.WriteEndObject();
    }

    private void WriteResponse(Utf8JsonWriter json, ItemResult result, int status, Action writeBody)
    {
        json.WriteStartObject("response");
        json.WriteNumber("status_code", status);
        json.WriteString("request_id", $"req_{job.Id}_{result.ItemNo}");
        json.WriteStartObject("body");
        writeBody();
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteNull("error");
    }

    private static void WriteUnanswered(Utf8JsonWriter json, string code, string message)
    {
        json.WriteNull("response");
        json.WriteStartObject("error");
        json.WriteString("code", code);
        json.WriteString("message", message);
        json.WriteEndObject();
    }

    private static void WriteError(Utf8JsonWriter json, Failure failure, string type)
    {
        json.WriteStartObject("error");
        json.WriteString("message", failure.Message);
        json.WriteString("type", type);
        json.WriteNull("param");
        json.WriteString("code", failure.Code);
        json.WriteEndObject();
    }

    private void WriteCompletion(Utf8JsonWriter json, ItemResult result)
    {
        json.WriteString("id", $"chatcmpl-{job.Id}_{result.ItemNo}");
        json.WriteString("object", "chat.completion");
        json.WriteNumber("created", result.FinishedAt.ToUnixTimeSeconds());
        json.WriteString("model", job.ModelName());
        json.WriteStartArray("choices");
        json.WriteStartObject();
        json.WriteNumber("index", 0);
        json.WriteStartObject("message");
        json.WriteString("role", "assistant");
        json.WriteString("content", result.Result.Text);
        json.WriteNull("refusal");
        json.WriteEndObject();
        json.WriteNull("logprobs");
        json.WriteString("finish_reason", result.Result.FinishReason);
        json.WriteEndObject();
        json.WriteEndArray();
        WriteUsage(json, result.Result.Usage);
    }

    private static void WriteUsage(Utf8JsonWriter json, TokenUsage usage)
    {
        json.WriteStartObject("usage");
        json.WriteNumber("prompt_tokens", usage.PromptTokens);
        json.WriteNumber("completion_tokens", usage.CompletionTokens);
        json.WriteNumber("total_tokens", usage.PromptTokens + usage.CompletionTokens);
        json.WriteStartObject("prompt_tokens_details");
        json.WriteNumber("cached_tokens", usage.CachedTokens);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
