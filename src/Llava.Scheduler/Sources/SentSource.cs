using System.Runtime.CompilerServices;
using Llava.Contracts.Requests;
using Llava.Ledger.Files;

namespace Llava.Scheduler.Sources;

/// <summary>A source that is a file which the job's tenant has sent. Where its bytes are is nobody's business: what is said of it names its id.</summary>
/// <param name="files">The files.</param>
/// <param name="reader">Opens the reader of a path.</param>
internal sealed class SentSource(FileStore files, Func<string, IJobSource> reader) : IJobSource
{
    public async IAsyncEnumerable<SourceItem> ReadAsync(JobRequest request, string? position, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var name = request.Source.Path[SourceDescription.FileId.Length..];
        var file = await files.FindAsync(name, request.Tenant, cancellation)
            ?? throw new SourceException("file_not_found", $"There is no file '{name}', or it has expired; send it again.");
        var path = files.PathOf(file);
        var opened = request with { Source = request.Source with { Path = path } };
        await using var items = reader(path).ReadAsync(opened, position, cancellation).GetAsyncEnumerator(cancellation);
        while (await MoveAsync(items, path, name))
        {
            var item = items.Current;
            yield return item with
            {
                Place = item.Place is { } place ? place with { Path = name } : null,
                Item = item.Item.Rejection is { } refused ? item.Item with { Rejection = refused with { Message = refused.Message.Replace(path, name, StringComparison.Ordinal) } } : item.Item,
            };
        }
    }

    private static async Task<bool> MoveAsync(IAsyncEnumerator<SourceItem> items, string path, string name)
    {
        try
        {
            return await items.MoveNextAsync();
        }
        catch (SourceException failure)
        {
            throw new SourceException(failure.Code, failure.Message.Replace(path, name, StringComparison.Ordinal), failure);
        }
    }
}
