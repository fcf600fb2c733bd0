using Llava.Contracts.Requests;
using Llava.Hosting.Paths;

namespace Llava.Scheduler.Sources;

/// <summary>Opens sources of every kind; source files and images only below the allowed folders.</summary>
internal sealed class SourceReader(AllowedRoots roots) : IJobSource
{
    private readonly FolderSource _folder = new(roots);
    private readonly ListSource _list = new(roots);
    private readonly JsonLinesSource _manifest = new(roots, ManifestLine.Parse);
    private readonly JsonLinesSource _questions = new(roots, QuestionLine.Parse);

    public IAsyncEnumerable<SourceItem> ReadAsync(SourceDescription source, string? position, CancellationToken cancellation)
    {
        IJobSource reader = source.Kind switch
        {
            SourceKind.Folder => _folder,
            SourceKind.List => _list,
            SourceKind.Manifest => _manifest,
            SourceKind.Questions => _questions,
            _ => throw new SourceException("unknown_source", $"Sources of kind {(int)source.Kind} cannot be read; give folder, list, manifest or questions."),
        };
        return reader.ReadAsync(source, position, cancellation);
    }
}
