using System.Text.Json.Serialization;
using Llava.Dashboard.OpenAi.Files;
using Llava.Ledger.Files;

namespace Llava.Dashboard.OpenAi.Uploads;

/// <summary>A file that is sent in parts, in OpenAI's words.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Bytes">How long the file is said to be.</param>
/// <param name="CreatedAt">When it was begun, in Unix seconds.</param>
/// <param name="ExpiresAt">Until when it may be completed, in Unix seconds.</param>
/// <param name="Filename">What its sender calls the file.</param>
/// <param name="Purpose">What the file is for.</param>
/// <param name="Status"><c>pending</c>, <c>completed</c>, <c>cancelled</c> or <c>expired</c>.</param>
/// <param name="File">The file; null until it is complete.</param>
internal sealed record UploadObject(string Id, long Bytes, long CreatedAt, long ExpiresAt, string Filename, string Purpose, string Status, FileObject? File)
{
    public string Object { get; } = "upload";

    public static UploadObject Of(UploadRecord upload, FileRecord? file = null) => new(
        upload.Id,
        upload.Bytes,
        upload.CreatedAt.ToUnixTimeSeconds(),
        upload.ExpiresAt.ToUnixTimeSeconds(),
        upload.File.Name,
        upload.File.Purpose,
        upload.State.WireName(),
        file is null ? null : FileObject.Of(file));
}

/// <summary>A part of a file, in OpenAI's words.</summary>
/// <param name="Id">Its id.</param>
/// <param name="UploadId">The file it is a part of.</param>
/// <param name="CreatedAt">When it was there, in Unix seconds.</param>
internal sealed record PartObject(string Id, string UploadId, long CreatedAt)
{
    public string Object { get; } = "upload.part";
}

/// <summary>Body of <c>POST /uploads</c>.</summary>
internal sealed record UploadRequest(string? Filename, string? Purpose, long? Bytes, string? MimeType, FileExpiry? ExpiresAfter);

/// <summary>Body of <c>POST /uploads/{id}/complete</c>.</summary>
internal sealed record CompletionRequest(IReadOnlyList<string>? PartIds, [property: JsonPropertyName("md5")] string? Md5);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(UploadObject))]
[JsonSerializable(typeof(PartObject))]
[JsonSerializable(typeof(UploadRequest))]
[JsonSerializable(typeof(CompletionRequest))]
internal sealed partial class UploadJson : JsonSerializerContext;
