using Llava.Contracts.Requests;
using Llava.Hosting.Paths;
using Llava.Scheduler.Sources;

namespace Llava.Scheduler.Tests;

/// <summary>A folder of test files that may be read, beside one that may not.</summary>
public abstract class SourceFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("llava-source-");

    protected SourceFolder()
    {
        Root = _folder.CreateSubdirectory("root").FullName;
        Outside = _folder.CreateSubdirectory("root-evil").FullName;
    }

    protected string Root { get; }

    protected string Outside { get; }

    internal AllowedRoots Roots => new([Root]);

    public void Dispose() => _folder.Delete(recursive: true);

    /// <summary>Writes a file below the root and returns its path.</summary>
    protected string Write(string name, params string[] lines)
    {
        var path = Path.Combine(Root, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllLines(path, lines);
        return path;
    }

    internal async Task<List<SourceItem>> ReadAsync(SourceDescription source, string? position = null)
    {
        List<SourceItem> items = [];
        await foreach (var item in new SourceReader(Roots).ReadAsync(source, position, default))
        {
            items.Add(item);
        }

        return items;
    }

    /// <summary>Reading on from each position must give exactly what came after it.</summary>
    internal async Task AssertResumableAsync(SourceDescription source)
    {
        var all = await ReadAsync(source);
        for (var at = 0; at < all.Count; at++)
        {
            var rest = await ReadAsync(source, all[at].Position);
            Assert.Equal(all.Skip(at + 1).Select(item => (item.Item.Spec.CustomId, item.Position)), rest.Select(item => (item.Item.Spec.CustomId, item.Position)));
        }
    }
}
