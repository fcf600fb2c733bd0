using System.Text.Json.Nodes;

namespace Llava.ModelCore.Tests;

/// <summary>A folder that is gone after the test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("llava-test-").FullName;

    public string File(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Copies a checkpoint's files into this folder.</summary>
    public TemporaryFolder With(string checkpoint)
    {
        foreach (var file in Directory.EnumerateFiles(checkpoint))
        {
            // Not File.Copy, which would keep a read-only original read-only.
            System.IO.File.WriteAllBytes(File(System.IO.Path.GetFileName(file)), System.IO.File.ReadAllBytes(file));
        }

        return this;
    }

    /// <summary>Changes a JSON file.</summary>
    public void Edit(string name, Action<JsonObject> edit)
    {
        var json = JsonNode.Parse(System.IO.File.ReadAllText(File(name)))!.AsObject();
        edit(json);
        System.IO.File.WriteAllText(File(name), json.ToJsonString());
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
