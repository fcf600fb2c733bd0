using Llava.Contracts.Requests;
using Llava.Hosting.Paths;
using Llava.Ledger.Results;

namespace Llava.Cli.Output;

/// <summary>
/// One .txt per image with the answer, below a folder, under the item's own name. Items that failed get none; several prompts on one image
/// are separated by a line feed in item order.
/// </summary>
internal sealed class SidecarTexts(string folder, JobRequest request) : IResultWriter
{
    private string? _lastName;

    public async Task WriteAsync(ItemResult result, CancellationToken cancellationToken)
    {
        if (result.Result.Text is not { } text)
        {
            return;
        }

        var path = PathOf(result);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        if (path == _lastName)
        {
            await File.AppendAllTextAsync(path, text + "\n", cancellationToken);
        }
        else
        {
            await File.WriteAllTextAsync(path, text + "\n", cancellationToken);
        }

        _lastName = path;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private string PathOf(ItemResult result)
    {
        var source = request.Source;
        var isFile = result.Images is [var image, ..] && ImageLocation.Parse(image).Length is null;
        var name = isFile ? result.Images[0] : result.CustomId;
        var relative = Path.IsPathRooted(name) ? Path.GetRelativePath(source.Kind == SourceKind.Folder ? source.Path : Path.GetDirectoryName(source.Path)!, name) : name;
        // The images of a part may lie anywhere; the names of its items are the job's.
        return Below(relative) ?? (request.Open ? Below(RecordName(result)) : null) ?? Path.Combine(folder, $"{result.ItemNo}.txt");
    }

    /// <summary>The path, unless it leads out of the folder: a custom id comes from a file somebody else may have written.</summary>
    private string? Below(string relative)
    {
        var path = Path.GetFullPath(Path.Combine(folder, Path.ChangeExtension(relative, ".txt")));
        return path.StartsWith(Path.GetFullPath(folder) + Path.DirectorySeparatorChar, StringComparison.Ordinal) ? path : null;
    }

    /// <summary>The name without the number of the prompt.</summary>
    private string RecordName(ItemResult result) => request.Prompts.Count > 0 ? result.CustomId[..result.CustomId.LastIndexOf('#')] : result.CustomId;
}
