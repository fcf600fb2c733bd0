using System.Runtime.InteropServices;
using System.Text.Json;
using Llava.Contracts.OpenAi;
using Llava.Contracts.Requests;
using Llava.Hosting.Paths;

namespace Llava.Scheduler.Sources;

/// <summary>
/// A line of OpenAI's batch input. Its images inside data: URLs stay where they are: the item refers to their place in the file.
/// What a line says of settings holds for it, what it leaves out is the job's, and what items cannot do is refused by name.
/// </summary>
internal static class OpenAiBatchLine
{
    private const int LongestId = 512;

    public static ParsedRecord Parse(JsonRecord record)
    {
        var line = record.Json.RequireObject();
        var id = record.Name;
        try
        {
            id = line.TextOf("custom_id") is { Length: > 0 } given ? given : throw Missing("custom_id", "it has no 'custom_id'.");
            Require(id.Length <= LongestId, "invalid_value", "custom_id", $"its 'custom_id' has {id.Length} letters; give at most {LongestId}.");
            Require(line.TextOf("method") is "POST", "invalid_method", "method", $"its 'method' is '{line.TextOf("method")}'; give POST.");
            var endpoint = EndpointOf(line, record.Request.Source);
            var body = line.TryGetProperty("body", out var found) && found.ValueKind == JsonValueKind.Object ? found : throw Missing("body", "it has no object 'body'.");
            var asked = endpoint == BatchEndpoints.Embeddings ? OpenAiEmbedding.Read(body, record.Request) : OpenAiQuestion.Read(body, endpoint, record.Request);
            return new(new(id, [.. asked.Images.Select(image => ImageOf(image, record))], asked.Prompt) { Chat = asked.Chat, Model = asked.Model }, new Dictionary<string, string>());
        }
        catch (OpenAiException refused)
        {
            return Refuse(refused.Code!, $"It cannot be answered: {refused.Message}", refused.Param);
        }
        catch (FormatException broken)
        {
            return Refuse("invalid_line", $"It cannot be used: {broken.Message}", null);
        }

        ParsedRecord Refuse(string code, string message, string? param) => new(new(id, []), new Dictionary<string, string>(), new(code, message) { Param = param });
    }

    /// <summary>The endpoint that the line calls.</summary>
    private static string EndpointOf(JsonElement line, SourceDescription source)
    {
        var url = line.TextOf("url") ?? throw Missing("url", "it has no 'url'.");
        var endpoint = BatchEndpoints.Normal(url);
        var expected = source.Endpoint ?? (BatchEndpoints.All.Contains(endpoint) ? endpoint : BatchEndpoints.Chats);
        Require(endpoint == expected, "url_mismatch", "url", $"its 'url' is '{url}'; give {expected}.");
        return endpoint;
    }

    private static OpenAiException Missing(string field, string message) => OpenAiException.Invalid("missing_required_parameter", message, field);

    private static void Require(bool holds, string code, string field, string message)
    {
        if (!holds)
        {
            throw OpenAiException.Invalid(code, message, field);
        }
    }

    /// <summary>A path, a URL, a file's id, or the place of a data: URL's JSON text in the file.</summary>
    private static string ImageOf(ImageUrl image, JsonRecord record)
    {
        if (!DataUrl.IsDataUrl(image.Url))
        {
            return image.Url;
        }

        try
        {
            DataUrl.Decode(image.Url);
        }
        catch (FormatException broken)
        {
            throw OpenAiException.Invalid("invalid_image_url", broken.Message, image.Field);
        }

        var raw = JsonMarshal.GetRawUtf8Value(image.Json);
        record.Text.Bytes.Span.Overlaps(raw, out var start);
        return new ImageLocation(record.Path, record.Text.Offset + start, raw.Length).ToString();
    }
}
