using System.Runtime.InteropServices;
using System.Text.Json;
using Llava.Hosting.Paths;
using Llava.Ledger;

namespace Llava.Scheduler.Sources;

/// <summary>
/// A line of OpenAI's batch input. Its images inside data: URLs stay where they are: the item refers to their place in the file.
/// A line is answered with the job's model and settings; what it asks for beyond or against them is refused by name, never left out silently.
/// </summary>
internal static class OpenAiBatchLine
{
    private static readonly string[] Urls = ["/v1/chat/completions", "/chat/completions"];

    public static ParsedRecord Parse(JsonRecord record)
    {
        var line = record.Json.RequireObject();
        var id = line.TextOf("custom_id") ?? throw new FormatException("it has no 'custom_id'.");
        try
        {
            Require(line.TextOf("method") is "POST", "invalid_method", $"its 'method' is '{line.TextOf("method")}'; give POST.");
            Require(Urls.Contains(line.TextOf("url")), "url_mismatch", $"its 'url' is '{line.TextOf("url")}'; give {Urls[0]}.");
            Require(line.TryGetProperty("body", out var body) && body.ValueKind == JsonValueKind.Object, "missing_required_parameter", "it has no object 'body'.");
            OpenAiSettings.Check(body, record.Request);
            var (prompt, images) = OpenAiMessages.Read(body, url => ImageOf(url, record));
            return new(new(id, images, prompt), new Dictionary<string, string>());
        }
        catch (RefusedLineException refused)
        {
            return new(new(id, []), new Dictionary<string, string>(), new(refused.Code, $"It cannot be answered: {refused.Message}"));
        }
        catch (FormatException broken)
        {
            return new(new(id, []), new Dictionary<string, string>(), new("invalid_line", $"It cannot be used: {broken.Message}"));
        }
    }

    public static void Require(bool holds, string code, string message)
    {
        if (!holds)
        {
            throw new RefusedLineException(code, message);
        }
    }

    /// <summary>A path, or the place of a data: URL's JSON text in the file.</summary>
    private static string ImageOf(JsonElement url, JsonRecord record)
    {
        var text = url.GetString()!;
        if (!DataUrl.IsDataUrl(text))
        {
            return text;
        }

        try
        {
            DataUrl.Decode(text);
        }
        catch (FormatException broken)
        {
            throw new RefusedLineException("invalid_image_url", broken.Message);
        }

        var raw = JsonMarshal.GetRawUtf8Value(url);
        record.Text.Bytes.Span.Overlaps(raw, out var start);
        return new ImageLocation(record.Path, record.Text.Offset + start, raw.Length).ToString();
    }
}

/// <summary>A line that was understood and cannot be answered.</summary>
/// <param name="code">OpenAI's word for it.</param>
/// <param name="message">Why.</param>
internal sealed class RefusedLineException(string code, string message) : FormatException(message)
{
    public string Code { get; } = code;
}
