using System.Text.Json.Serialization;
using Llava.Ledger.Files;

namespace Llava.Dashboard.OpenAi.Files;

/// <summary>A file in OpenAI's words. It is seen once all its bytes are there, so it is always processed.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="CreatedAt">When it was made, in Unix seconds.</param>
/// <param name="ExpiresAt">From when on it is gone, in Unix seconds; null for never.</param>
/// <param name="Filename">What its sender calls it.</param>
/// <param name="Purpose">What it is for.</param>
internal sealed record FileObject(string Id, long Bytes, long CreatedAt, long? ExpiresAt, string Filename, string Purpose)
{
    public string Object { get; } = "file";

    public string Status { get; } = "processed";

    public string? StatusDetails { get; }

    public static FileObject Of(FileRecord file) => new(
        file.Id, file.Bytes, file.CreatedAt.ToUnixTimeSeconds(), file.ExpiresAt?.ToUnixTimeSeconds(), file.Name, file.Purpose);
}

/// <summary>That a thing is gone.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Object">What it was.</param>
internal sealed record DeletedObject(string Id, string Object)
{
    public bool Deleted { get; } = true;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(FileObject))]
[JsonSerializable(typeof(FileExpiry))]
[JsonSerializable(typeof(DeletedObject))]
[JsonSerializable(typeof(OpenAiPage<FileObject>))]
internal sealed partial class FileJson : JsonSerializerContext;
