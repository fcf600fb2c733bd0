using System.Text.Json;
using Llava.ModelCore.Checkpoints;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training.Scenes;

/// <summary>Where a run stands: weights, optimizer moments and counters in one safetensors file, replaced as a whole.</summary>
internal static class SceneSnapshot
{
    /// <summary>Writes the file beside and renames it, so that a killed run leaves the previous snapshot.</summary>
    public static void Save(string path, IEnumerable<(string Name, Tensor Value)> tensors)
    {
        var aside = path + ".tmp";
        using (var scope = NewDisposeScope())
        using (var file = File.Create(aside))
        {
            Write(file, [.. tensors.Select(t => (t.Name, t.Value.detach().cpu().contiguous()))]);
        }

        File.Move(aside, path, overwrite: true);
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

    private static void Write(Stream stream, IReadOnlyList<(string Name, Tensor Value)> tensors)
    {
        var header = new Dictionary<string, object>();
        var offset = 0L;
        foreach (var (name, value) in tensors)
        {
            var end = offset + value.bytes.Length;
            header[name] = new { dtype = DtypeName(value.dtype), shape = value.shape, data_offsets = new[] { offset, end } };
            offset = end;
        }

        var json = JsonSerializer.SerializeToUtf8Bytes(header);
        var padding = (8 - (json.Length % 8)) % 8;
        stream.Write(BitConverter.GetBytes((long)(json.Length + padding)));
        stream.Write(json);
        stream.Write("        "u8[..padding]);
        foreach (var (_, value) in tensors)
        {
            stream.Write(value.bytes);
        }
    }

    private static string DtypeName(ScalarType type) => type switch
    {
        ScalarType.Float32 => "F32",
        ScalarType.Float64 => "F64",
        ScalarType.Int64 => "I64",
        ScalarType.BFloat16 => "BF16",
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Not a type that a snapshot holds."),
    };
}
