using Llava.ModelCore.Checkpoints;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training.Scenes;

/// <summary>Where a run stands: weights, optimizer moments and counters in one safetensors file, replaced as a whole.</summary>
internal static class SceneSnapshot
{
    /// <summary>Writes the file; a run killed meanwhile leaves the previous one.</summary>
    public static void Save(string path, IReadOnlyList<(string Name, Tensor Value)> tensors)
    {
        var byName = tensors.ToDictionary(t => t.Name, t => t.Value);
        SafeTensorsWriter.Write(path, [.. tensors.Select(t => new TensorEntry(t.Name, t.Value.dtype, t.Value.shape))], name => byName[name]);
    }

    /// <summary>Copies the file's values into tensors of the same names and shapes.</summary>
    /// <exception cref="CheckpointException">The file lacks one of them.</exception>
    public static void Load(string path, IEnumerable<(string Name, Tensor Value)> tensors)
    {
        using var withoutGradients = no_grad();
        using var file = SafeTensorsFile.Open(path);
        foreach (var (name, value) in tensors)
        {
            using var saved = file.Read(name);
            value.copy_(saved);
        }
    }
}
