using System.Text.Encodings.Web;
using System.Text.Json;
using Llava.Ledger.Results;

namespace Llava.Cli.Output;

/// <summary>One JSON object per line. Nothing in it depends on when or how often an item ran, so that two runs can be compared byte by byte.</summary>
internal sealed class JsonLinesResults(TextWriter output, string model, string? jobPrompt) : IResultWriter
{
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public async Task WriteAsync(ItemResult result, CancellationToken cancellationToken)
    {
        using var buffer = new MemoryStream();
        await using (var json = new Utf8JsonWriter(buffer, Readable))
        {
            Write(json, result);
        }

        await output.WriteLineAsync(System.Text.Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length).AsMemory(), cancellationToken);
    }

    public async ValueTask DisposeAsync() => await output.FlushAsync();

    private void Write(Utf8JsonWriter json, ItemResult result)
    {
        json.WriteStartObject();
        json.WriteString("custom_id", result.CustomId);
        json.WriteStartArray("images");
        foreach (var image in result.Images)
        {
            json.WriteStringValue(image);
        }

        json.WriteEndArray();
        json.WriteString("prompt", result.Prompt ?? jobPrompt);
        json.WriteString("outcome", Contracts.States.ItemOutcomes.Table.WireName(result.Result.Outcome));
        if (result.Result.Failure is { } failure)
        {
            json.WriteStartObject("error");
            json.WriteString("code", failure.Code);
            json.WriteString("message", failure.Message);
            json.WriteEndObject();
        }
        else
        {
            json.WriteString("text", result.Result.Text);
            json.WriteString("finish_reason", result.Result.FinishReason);
            json.WriteStartObject("usage");
            json.WriteNumber("prompt_tokens", result.Result.Usage.PromptTokens);
            json.WriteNumber("completion_tokens", result.Result.Usage.CompletionTokens);
            json.WriteEndObject();
        }

        json.WriteString("model", model);
        json.WriteEndObject();
    }
}
