using System.Globalization;
using System.Text.Json;
using Llava.Contracts.Requests;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;

namespace Llava.Cli.Output;

/// <summary>
/// COCO's captions: an image for each item that has one, neighbours on the same image sharing it, and an annotation for each answer.
/// Images keep the ids they had in a COCO source and are numbered otherwise. Annotations stand behind the images in the file and
/// wait for them in a temporary one.
/// </summary>
internal sealed class CocoResults : IResultWriter
{
    private const int FlushBytes = 64 * 1024;

    private readonly JobRecord _job;
    private readonly Stream _output;
    private readonly FileStream _spool = new(Path.GetTempFileName(), FileMode.Create, FileAccess.ReadWrite, FileShare.None, FlushBytes, FileOptions.DeleteOnClose);
    private readonly Utf8JsonWriter _images;
    private readonly Utf8JsonWriter _annotations;
    private string? _lastImage;
    private int _imageCount;
    private int _annotationCount;

    public CocoResults(Stream output, JobRecord job)
    {
        (_output, _job) = (output, job);
        _images = new(output, JsonText.Readable);
        _annotations = new(_spool, JsonText.Readable);
        _annotations.WriteStartArray();
        _images.WriteStartObject();
        _images.WriteStartObject("info");
        _images.WriteString("description", $"Answers of {job.ModelName()}, job {job.Id}");
        _images.WriteEndObject();
        _images.WriteStartArray("licenses");
        _images.WriteEndArray();
        _images.WriteStartArray("images");
    }

    public async Task WriteAsync(ItemResult result, CancellationToken cancellationToken)
    {
        if (result.Images is not [var image, ..])
        {
            return;
        }

        if (image != _lastImage)
        {
            WriteImage(image, result);
            _lastImage = image;
        }

        if (result.Result.Text is { } text)
        {
            WriteAnnotation(text, result);
        }

        foreach (var json in (Utf8JsonWriter[])[_images, _annotations])
        {
            if (json.BytesPending > FlushBytes)
            {
                await json.FlushAsync(cancellationToken);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        _annotations.WriteEndArray();
        await _annotations.DisposeAsync();
        _images.WriteEndArray();
        _images.WritePropertyName("annotations");
        await _images.FlushAsync();
        _spool.Position = 0;
        await _spool.CopyToAsync(_output);
        await _spool.DisposeAsync();
        await _output.WriteAsync("}\n"u8.ToArray());
    }

    private void WriteImage(string image, ItemResult result)
    {
        _imageCount++;
        _images.WriteStartObject();
        WriteImageId(_images, "id", result);
        _images.WriteString("file_name", NameOf(image));
        _images.WriteEndObject();
    }

    private void WriteAnnotation(string text, ItemResult result)
    {
        _annotationCount++;
        _annotations.WriteStartObject();
        _annotations.WriteNumber("id", _annotationCount);
        WriteImageId(_annotations, "image_id", result);
        _annotations.WriteString("caption", text);
        _annotations.WriteEndObject();
    }

    private void WriteImageId(Utf8JsonWriter json, string name, ItemResult result)
    {
        var id = _job.Request.Source.Kind == SourceKind.Coco ? RecordName(result) : _imageCount.ToString(CultureInfo.InvariantCulture);
        if (long.TryParse(id, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
        {
            json.WriteNumber(name, number);
        }
        else
        {
            json.WriteString(name, id);
        }
    }

    /// <summary>The name without the number of the prompt.</summary>
    private string RecordName(ItemResult result) => _job.Request.Prompts.Count > 0 ? result.CustomId[..result.CustomId.LastIndexOf('#')] : result.CustomId;

    /// <summary>The name below the folder that the source's names start from.</summary>
    private string NameOf(string image)
    {
        var source = _job.Request.Source;
        var folder = source.ImageFolder ?? (source.Kind == SourceKind.Folder ? source.Path : Path.GetDirectoryName(source.Path)!);
        return Path.IsPathRooted(image) && Path.GetRelativePath(folder, image) is var name && !name.StartsWith("..", StringComparison.Ordinal) ? name : image;
    }
}
