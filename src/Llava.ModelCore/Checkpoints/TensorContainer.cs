using System.Text;

namespace Llava.ModelCore.Checkpoints;

/// <summary>Finds the container of a file by its first bytes, and the weights of a folder by the library's lookup order (spec 2.1).</summary>
public static class TensorContainer
{
    /// <summary>File names of weights, in the order they are looked for.</summary>
    public static IReadOnlyList<string> FileNames { get; } =
        ["model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json"];

    /// <summary>Opens a file of tensors: safetensors, a torch archive, or an index of shards.</summary>
    /// <exception cref="CheckpointException">The file is missing, damaged or of another kind.</exception>
    public static ITensorSource Open(string path)
    {
        if (path.EndsWith(".index.json", StringComparison.OrdinalIgnoreCase))
        {
            return ShardedTensorSource.Open(path);
        }

        var start = Start(path);
        if (Encoding.ASCII.GetString(start).StartsWith("version https://git-lfs", StringComparison.Ordinal))
        {
            throw new CheckpointException($"'{path}' is a Git LFS pointer, not the file itself. Run 'git lfs pull' in its folder.");
        }

        // A safetensors header is a JSON object: its brace follows the eight bytes of the length.
        return path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase) || (start.Length > 8 && start[8] == (byte)'{')
            ? SafeTensorsFile.Open(path)
            : TorchArchiveFile.Open(path);
    }

    /// <summary>Path of a folder's weights; null when it has none.</summary>
    public static string? FindIn(string folder) =>
        FileNames.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    private static byte[] Start(string path)
    {
        if (!File.Exists(path))
        {
            throw new CheckpointException($"'{path}' does not exist.");
        }

        using var stream = File.OpenRead(path);
        var bytes = new byte[32];
        return bytes[..stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)];
    }
}
