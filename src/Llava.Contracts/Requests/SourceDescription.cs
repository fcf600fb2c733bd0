using System.Text.Json;
using System.Text.Json.Serialization;

namespace Llava.Contracts.Requests;

/// <summary>Where a job's items come from.</summary>
public sealed record SourceDescription
{
    /// <summary>How to read it.</summary>
    public required SourceKind Kind { get; init; }

    /// <summary>Every kind as it is spelled in JSON.</summary>
    public static IReadOnlyList<string> KindNames { get; } =
        [.. Enum.GetValues<SourceKind>().Select(kind => JsonSerializer.SerializeToElement(kind).GetString()!)];

    /// <summary>How a <see cref="Path"/> begins that names a file of the tenant's that was sent before, instead of one on the scheduler's machine.</summary>
    public const string FileId = "file-id:";

    private const int MostModels = 100;

    /// <summary>The folder, file, manifest or list, as the scheduler's machine sees it; or <see cref="FileId"/> and a file's id.</summary>
    public required string Path { get; init; }

    /// <summary>Folder that relative image names in a file start from; null means the file's own folder.</summary>
    public string? ImageFolder { get; init; }

    /// <summary>For a folder: which file names count, with <c>*</c> and <c>?</c>; null means every known image suffix.</summary>
    public string? Pattern { get; init; }

    /// <summary>For a folder: whether folders below it count too. Default true.</summary>
    public bool Recursive { get; init; } = true;

    /// <summary>For an OpenAI batch: the one endpoint that its lines may name, such as <c>/v1/chat/completions</c>, each with a model; null takes what the lines say.</summary>
    public string? Endpoint { get; init; }

    /// <summary>For an OpenAI batch: further models that its lines may ask instead of the job's, by the names consumers announce, at most 100. Default none.</summary>
    public IReadOnlyList<string> Models { get; init; } = [];

    /// <summary>For an OpenAI batch: another name by which lines call the job's model, such as one that was promoted; null for none.</summary>
    public string? ModelAlias { get; init; }

    /// <summary>Every rule this source breaks.</summary>
    internal IEnumerable<Finding> Validate()
    {
        if (string.IsNullOrWhiteSpace(Path) || Path.Contains('\0', StringComparison.Ordinal))
        {
            yield return new("source.path", $"is '{Path}'; name a folder or file.");
        }

        if (!Enum.IsDefined(Kind))
        {
            yield return new("source.kind", $"is {(int)Kind}; give {string.Join(", ", KindNames)}.");
        }

        if (Models.Count > 0 && Kind != SourceKind.OpenAiBatch)
        {
            yield return new("source.models", "is for OpenAI batches, whose lines name a model; leave it out.");
        }

        if (Models.Count > MostModels || Models.Any(model => !JobRequest.IsModelName(model)))
        {
            yield return new("source.models", $"names {Models.Count} models; give at most {MostModels}, each in at most 1000 letters.");
        }
    }

    /// <summary>Whether it is a file that was sent before, and not one of the scheduler's machine.</summary>
    public bool IsSent() => Path.StartsWith(FileId, StringComparison.Ordinal);

    /// <summary>The folders that it and its images are read from.</summary>
    public IEnumerable<string> Folders()
    {
        if (!IsSent())
        {
            yield return Kind == SourceKind.Folder ? Path : System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path))!;
        }

        if (ImageFolder is { } images)
        {
            yield return images;
        }
    }
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

    /// <summary>Comma-, semicolon- or tab-separated values with a header row: the manifest's fields as columns, and any others for the prompt; several <c>images</c> are separated by semicolons.</summary>
    [JsonStringEnumMemberName("table")]
    Table,

    /// <summary>A Parquet file: the manifest's fields as columns, and any others for the prompt.</summary>
    [JsonStringEnumMemberName("parquet")]
    Parquet,

    /// <summary>COCO's JSON: one item per entry of its <c>images</c>.</summary>
    [JsonStringEnumMemberName("coco")]
    Coco,

    /// <summary>LLaVA's conversation JSON: an array of <c>id</c>, <c>image</c> and <c>conversations</c>, of which the first human turn is asked.</summary>
    [JsonStringEnumMemberName("conversations")]
    Conversations,

    /// <summary>A WebDataset tar archive: members with one key are one item. Read in place, never unpacked.</summary>
    [JsonStringEnumMemberName("webdataset")]
    WebDataset,

    /// <summary>OpenAI's batch input: JSON Lines with <c>custom_id</c>, <c>method</c>, <c>url</c> and a chat completion's <c>body</c>.</summary>
    [JsonStringEnumMemberName("openai_batch")]
    OpenAiBatch,

    /// <summary>A text file with one http or https URL per line. Consumers fetch them, where their egress is enabled.</summary>
    [JsonStringEnumMemberName("urls")]
    Urls,
}
