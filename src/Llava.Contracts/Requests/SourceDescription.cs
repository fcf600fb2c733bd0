using System.Text.Json.Serialization;

namespace Llava.Contracts.Requests;

/// <summary>Where a job's items come from.</summary>
public sealed record SourceDescription
{
    /// <summary>How to read it.</summary>
    public required SourceKind Kind { get; init; }

    /// <summary>The folder, file, manifest or list, as the scheduler's machine sees it.</summary>
    public required string Path { get; init; }

    /// <summary>Folder that relative image names in a manifest or list start from; null means the file's own folder.</summary>
    public string? ImageFolder { get; init; }

    /// <summary>For a folder: which file names count, with <c>*</c> and <c>?</c>; null means every known image suffix.</summary>
    public string? Pattern { get; init; }

    /// <summary>For a folder: whether folders below it count too. Default true.</summary>
    public bool Recursive { get; init; } = true;
}

/// <summary>How a source is read.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<SourceKind>))]
public enum SourceKind
{
    /// <summary>A folder of images, one item each.</summary>
    [JsonStringEnumMemberName("folder")]
    Folder,

    /// <summary>One image, or a text file with one image path per line.</summary>
    [JsonStringEnumMemberName("list")]
    List,

    /// <summary>A JSON Lines file: <c>image</c> or <c>images</c>, and optionally <c>prompt</c> (or <c>question</c>, <c>text</c>), <c>custom_id</c> (or <c>id</c>, <c>question_id</c>), <c>category</c>.</summary>
    [JsonStringEnumMemberName("manifest")]
    Manifest,

    /// <summary>LLaVA's question file: JSON Lines with <c>question_id</c>, <c>image</c>, <c>text</c> and optionally <c>category</c>, all checked.</summary>
    [JsonStringEnumMemberName("questions")]
    Questions,
}
