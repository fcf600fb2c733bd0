using System.Text.Json;
using Llava.Contracts.Requests;

namespace Llava.Scheduler.Sources;

/// <summary>The JSON formats there are; see <see cref="SourceKind"/> for each one's fields.</summary>
internal static class JsonFormats
{
    public static readonly JsonFormat Manifest = new("line", TextLines.ReadAsync, ManifestRecord.Parse);

    public static readonly JsonFormat Questions = new("line", TextLines.ReadAsync, record => new(
        new(
            record.Json.RequireObject().TextOf("question_id") ?? throw new FormatException("it has no 'question_id'."),
            record.Json.ImagesOf("image"),
            record.Json.TextOf("text") ?? throw new FormatException("it has no 'text'."),
            record.Json.TextOf("category")),
        record.Json.Fields()));

    public static readonly JsonFormat Coco = new("image", (path, position, cancellation) => JsonArrayReader.ReadAsync(path, "images", position, cancellation), record => new(
        new(
            record.Json.RequireObject().TextOf("id") ?? throw new FormatException("it has no 'id'."),
            [record.Json.TextOf("file_name") ?? throw new FormatException("it has no 'file_name'.")]),
        record.Json.Fields()));

    public static readonly JsonFormat Conversations = new("record", (path, position, cancellation) => JsonArrayReader.ReadAsync(path, null, position, cancellation), ConversationRecord.Parse);

    public static readonly JsonFormat OpenAiBatch = new("line", TextLines.ReadAsync, OpenAiBatchLine.Parse);
}
