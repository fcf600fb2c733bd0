using Llava.Contracts.Requests;
using Llava.Hosting.Paths;
using Llava.Ledger.Results;

namespace Llava.Cli.Output;

/// <summary>
/// One .txt per image with the answer, below a folder, under the item's own name. Items that failed get none; several prompts on one image
/// are separated by a line feed in item order.
/// </summary>
internal sealed class SidecarTexts(string folder, SourceDescription source) : IResultWriter
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
        var isFile = result.Images is [var image, ..] && ImageLocation.Parse(image).Length is null;
        var name = isFile ? result.Images[0] : result.CustomId;
        var relative = Path.IsPathRooted(name) ? Path.GetRelativePath(source.Kind == SourceKind.Folder ? source.Path : Path.GetDirectoryName(source.Path)!, name) : name;
        var path = Path.GetFullPath(Path.Combine(folder, Path.ChangeExtension(relative, ".txt")));
        // A custom id comes from a file somebody else may have written.
        return path.StartsWith(Path.GetFullPath(folder) + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? path
            : Path.Combine(folder, $"{result.ItemNo}.txt");
    }
}
