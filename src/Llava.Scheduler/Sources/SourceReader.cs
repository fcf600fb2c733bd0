using Llava.Contracts.Requests;
using Llava.Hosting.Paths;
using Llava.Ledger.Files;

namespace Llava.Scheduler.Sources;

/// <summary>Opens sources of every kind: files and folders below the allowed ones, and files that the job's tenant has sent.</summary>
internal sealed class SourceReader(AllowedRoots roots, FileStore? files = null) : IJobSource
{
    private readonly Dictionary<SourceKind, IJobSource> _readers = Readers(roots);

    public IAsyncEnumerable<SourceItem> ReadAsync(JobRequest request, string? position, CancellationToken cancellation)
    {
        if (files is null)
        {
            return Reader(_readers, request).ReadAsync(request, position, cancellation);
        }

        SentImages images = new(files, request.Tenant);
        return images.ResolveAsync(
            request.Source.IsSent()
                ? new SentSource(files, path => Reader(Readers(roots.With(path)), request)).ReadAsync(request, position, cancellation)
                : Reader(_readers, request).ReadAsync(request, position, cancellation),
            cancellation);
    }

    private static Dictionary<SourceKind, IJobSource> Readers(AllowedRoots roots) => new()
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

    private static IJobSource Reader(Dictionary<SourceKind, IJobSource> readers, JobRequest request) => readers.TryGetValue(request.Source.Kind, out var reader)
        ? reader
        : throw new SourceException("unknown_source", $"Sources of kind {(int)request.Source.Kind} cannot be read; give {string.Join(", ", SourceDescription.KindNames)}.");
}
