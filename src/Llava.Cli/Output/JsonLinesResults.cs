using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Llava.Contracts.States;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;

namespace Llava.Cli.Output;

/// <summary>
/// One JSON object per line. Without timelines nothing in it depends on when or how often an item ran, so that two runs can be
/// compared byte by byte.
/// </summary>
internal sealed class JsonLinesResults(TextWriter output, JobRecord job, bool hasTimelines = false) : IResultWriter
{
    public Task WriteAsync(ItemResult result, CancellationToken cancellationToken) =>
        output.WriteLineAsync(JsonText.Of(json => Write(json, job, result, hasTimelines)).AsMemory(), cancellationToken);

    public ValueTask DisposeAsync() => output.DisposeAsync();

    /// <summary>The object of one result.</summary>
    public static void Write(Utf8JsonWriter json, JobRecord job, ItemResult result, bool hasTimeline = false)
    {
        json.WriteStartObject();
        json.WriteString("custom_id", result.CustomId);
        json.WriteStartArray("images");
        foreach (var image in result.Images)
        {
            json.WriteStringValue(image);
        }

        json.WriteEndArray();
        json.WriteString("prompt", job.Asked(result));
        json.WriteString("outcome", result.Result.Outcome.WireName());
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
            if (job.Request.Generation.Choices is not null && result.Result.Confidence is { } confidence)
            {
                json.WriteNumber("confidence", Math.Round(confidence, 6));
            }

            json.WriteStartObject("usage");
            json.WriteNumber("prompt_tokens", result.Result.Usage.PromptTokens);
            json.WriteNumber("completion_tokens", result.Result.Usage.CompletionTokens);
            json.WriteEndObject();
        }

        if (result.Result.CopyOf is { } original)
        {
            WriteOrigin(json, job, original);
        }

        json.WriteString("model", job.ModelName(result));
        if (hasTimeline && result.Timeline is { } timeline)
        {
            Write(json, timeline);
        }

        json.WriteEndObject();
    }

    private static void WriteOrigin(Utf8JsonWriter json, JobRecord job, ItemReference original)
    {
        if (original.Job == job.Id)
        {
            json.WriteNumber("copied_from", original.ItemNo);
        }
        else
        {
            json.WriteBoolean("cached", true);
        }
    }

    /// <summary>One moment and the others' distance from it: short, and what a phase took is a difference of two numbers.</summary>
    private static void Write(Utf8JsonWriter json, ItemTimeline timeline)
    {
        json.WriteStartObject("timeline");
        json.WriteString("claimed_at", timeline.ClaimedAt);
        Write("queued_ms", timeline.QueuedAt);
        Write("prepared_ms", timeline.PreparedAt);
        Write("prefill_ms", timeline.PrefillAt);
        Write("first_token_ms", timeline.FirstTokenAt);
        Write("last_token_ms", timeline.LastTokenAt);
        Write("written_ms", timeline.WrittenAt);
        json.WriteEndObject();

        void Write(string name, DateTimeOffset? moment)
        {
            if (moment is { } at)
            {
                json.WriteNumber(name, (long)(at - timeline.ClaimedAt).TotalMilliseconds);
            }
        }
    }
}

/// <summary>JSON for people and machines: UTF-8 as it is, no escapes beyond what JSON asks for.</summary>
internal static class JsonText
{
    public static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>What is written, as one line of text.</summary>
    public static string Of(Action<Utf8JsonWriter> write)
    {
        using MemoryStream buffer = new();
        using (Utf8JsonWriter json = new(buffer, Readable))
        {
            write(json);
        }

        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }
}
