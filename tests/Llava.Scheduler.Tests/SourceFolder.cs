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

    /// <summary>Writes images that are never decoded, only looked for.</summary>
    protected void WriteImages(params string[] names) => Array.ForEach(names, name => Write(name));

    internal Task<List<SourceItem>> ReadAsync(SourceDescription source, string? position = null) => ReadJobAsync(new() { Model = "m", Source = source }, position);

    internal async Task<List<SourceItem>> ReadJobAsync(JobRequest request, string? position = null)
    {
        List<SourceItem> items = [];
        await foreach (var item in new SourceReader(Roots).ReadAsync(request, position, default))
        {
            items.Add(item);
        }

        return items;
    }

    /// <summary>Code with which the source is refused as a whole.</summary>
    internal async Task<string> CodeOfAsync(SourceDescription source) => (await Assert.ThrowsAsync<SourceException>(() => ReadAsync(source))).Code;

    /// <summary>Reading on from each position must give exactly what came after it.</summary>
    internal async Task AssertResumableAsync(SourceDescription source)
    {
        var all = await ReadAsync(source);
        Assert.NotEmpty(all);
        for (var at = 0; at < all.Count; at++)
        {
            var rest = await ReadAsync(source, all[at].Position);
            Assert.Equal(all.Skip(at + 1).Select(item => (item.Item.Spec.CustomId, item.Position, item.Place)), rest.Select(item => (item.Item.Spec.CustomId, item.Position, item.Place)));
        }
    }
}
