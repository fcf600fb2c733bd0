using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Llava.Contracts.OpenAi;
using Llava.Contracts.States;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;

namespace Llava.Ledger.Batches;

/// <summary>
/// An item's result as a line of OpenAI's batch output, or of its error file: each item is in exactly one of the two. Ids follow from
/// job and item, so that writing again gives the same line.
/// </summary>
public static class BatchLine
{
    /// <summary>Failures that are not the caller's.</summary>
    private static readonly string[] OurFault = ["poison_item", "generation_failed"];

    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Whether the line belongs to the error file.</summary>
    public static bool IsError(ItemResult result) => result.Result.Outcome is not ItemOutcome.Succeeded;

    /// <summary>Writes the line with its end.</summary>
    public static void Write(IBufferWriter<byte> output, JobRecord job, ItemResult result)
    {
        using (Utf8JsonWriter json = new(output, Readable))
        {
            new Line(json, job, result).Write();
        }

        output.Write("\n"u8);
    }

    private readonly ref struct Line(Utf8JsonWriter json, JobRecord job, ItemResult result)
    {
        public void Write()
        {
            json.WriteStartObject();
            json.WriteString("id", $"batch_req_{job.Id}_{result.ItemNo}");
            json.WriteString("custom_id", result.CustomId);
            switch (result.Result.Outcome)
            {
                case ItemOutcome.Succeeded:
                    StartResponse(200);
                    if (job.Request.Source.Endpoint == BatchEndpoints.Embeddings)
                    {
                        WriteEmbeddings();
                    }
                    else
                    {
                        WriteCompletion();
                    }

                    EndResponse();
                    break;
                case ItemOutcome.Failed:
                    var isOurs = OurFault.Contains(result.Result.Failure!.Code);
                    StartResponse(isOurs ? 500 : 400);
                    WriteError(result.Result.Failure, isOurs ? "server_error" : OpenAiException.InvalidRequest);
                    EndResponse();
                    break;
                case ItemOutcome.Cancelled:
                    WriteUnanswered("batch_cancelled", "The batch was cancelled before this request was executed.");
                    break;
                default:
                    WriteUnanswered("batch_expired", "This request could not be executed before the completion window expired.");
                    break;
            }

            json.WriteEndObject();
        }

        private void StartResponse(int status)
        {
            json.WriteStartObject("response");
            json.WriteNumber("status_code", status);
            json.WriteString("request_id", $"req_{job.Id}_{result.ItemNo}");
            json.WriteStartObject("body");
        }

        private void EndResponse()
        {
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteNull("error");
        }

        private void WriteUnanswered(string code, string message)
        {
            json.WriteNull("response");
            json.WriteStartObject("error");
            json.WriteString("code", code);
            json.WriteString("message", message);
            json.WriteEndObject();
        }

        private void WriteError(Failure failure, string type)
        {
            json.WriteStartObject("error");
            json.WriteString("message", failure.Message);
            json.WriteString("type", type);
            json.WriteNull("param");
            json.WriteString("code", failure.Code);
            json.WriteEndObject();
        }

        /// <summary>The text is a list of vectors.</summary>
        private void WriteEmbeddings()
        {
            json.WriteString("object", "list");
            json.WriteString("model", job.ModelName(result));
            json.WriteStartArray("data");
            using var vectors = JsonDocument.Parse(result.Result.Text is { Length: > 0 } text ? text : "[]");
            foreach (var (index, vector) in vectors.RootElement.EnumerateArray().Index())
            {
                json.WriteStartObject();
                json.WriteString("object", "embedding");
                json.WriteNumber("index", index);
                json.WritePropertyName("embedding");
                vector.WriteTo(json);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteStartObject("usage");
            json.WriteNumber("prompt_tokens", result.Result.Usage.PromptTokens);
            json.WriteNumber("total_tokens", result.Result.Usage.PromptTokens);
            json.WriteEndObject();
        }

        private void WriteCompletion()
        {
            var isText = job.Request.Source.Endpoint == BatchEndpoints.Completions;
            json.WriteString("id", $"{(isText ? "cmpl" : "chatcmpl")}-{job.Id}_{result.ItemNo}");
            json.WriteString("object", isText ? "text_completion" : "chat.completion");
            json.WriteNumber("created", result.FinishedAt.ToUnixTimeSeconds());
            json.WriteString("model", job.ModelName(result));
            json.WriteStartArray("choices");
            json.WriteStartObject();
            json.WriteNumber("index", 0);
            if (isText)
            {
                json.WriteString("text", result.Result.Text);
            }
            else
            {
                WriteMessage();
            }

            json.WriteNull("logprobs");
            json.WriteString("finish_reason", result.Result.FinishReason);
            json.WriteEndObject();
            json.WriteEndArray();
            WriteUsage(result.Result.Usage);
        }

        private void WriteMessage()
        {
            json.WriteStartObject("message");
            json.WriteString("role", "assistant");
            json.WriteString("content", result.Result.Text);
            json.WriteNull("refusal");
            json.WriteEndObject();
        }

        private void WriteUsage(TokenUsage usage)
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
}
