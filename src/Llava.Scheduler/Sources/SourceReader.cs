using Llava.Contracts.Requests;
using Llava.Hosting.Paths;

namespace Llava.Scheduler.Sources;

/// <summary>Opens sources of every kind; source files and images only below the allowed folders.</summary>
internal sealed class SourceReader(AllowedRoots roots) : IJobSource
{
    private readonly Dictionary<SourceKind, IJobSource> _readers = new()
    {
        [SourceKind.Folder] = new FolderSource(roots),
        [SourceKind.List] = new ListSource(roots),
        [SourceKind.Urls] = new ListSource(roots, ofUrls: true),
        [SourceKind.Manifest] = new JsonRecordSource(roots, JsonFormats.Manifest),
        [SourceKind.Questions] = new JsonRecordSource(roots, JsonFormats.Questions),
        [SourceKind.Table] = new TableSource(roots),
        [SourceKind.Parquet] = new ParquetSource(roots),
        [SourceKind.Coco] = new JsonRecordSource(roots, JsonFormats.Coco),
        [SourceKind.Conversations] = new JsonRecordSource(roots, JsonFormats.Conversations),
        [SourceKind.WebDataset] = new WebDatasetSource(roots),
        [SourceKind.OpenAiBatch] = new JsonRecordSource(roots, JsonFormats.OpenAiBatch),
    };

    public IAsyncEnumerable<SourceItem> ReadAsync(JobRequest request, string? position, CancellationToken cancellation) =>
        _readers.TryGetValue(request.Source.Kind, out var reader)
            ? reader.ReadAsync(request, position, cancellation)
            : throw new SourceException("unknown_source", $"Sources of kind {(int)request.Source.Kind} cannot be read; give {string.Join(", ", SourceDescription.KindNames)}.");
}
