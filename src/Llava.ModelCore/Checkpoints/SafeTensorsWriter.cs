using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Llava.ModelCore.Checkpoints;

/// <summary>Writes safetensors files, one tensor in memory at a time.</summary>
public static class SafeTensorsWriter
{
    /// <summary>Largest shard the library writes by default: 5 GB.</summary>
    public const long DefaultShardBytes = 5_000_000_000;

    private const int CacheLine = 64;

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Writes one file.</summary>
    /// <param name="path">The file; it appears whole or not at all.</param>
    /// <param name="entries">Names, types and shapes, in the order of the file.</param>
    /// <param name="read">Gives a tensor by name; it is converted to its entry's type.</param>
    /// <exception cref="CheckpointException">A tensor has another shape than its entry.</exception>
    public static void Write(string path, IReadOnlyList<TensorEntry> entries, Func<string, Tensor> read) => TensorWriting.WriteWhole(path, stream =>
    {
        var header = Header(entries);
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        stream.Write(length);
        stream.Write(header);
        foreach (var entry in entries)
        {
            TensorWriting.WriteTensor(stream, entry, read);
        }
    });

    /// <summary>Writes a folder's weights: model.safetensors, or shards with an index when they are larger than one shard.</summary>
    public static void WriteFolder(string folder, IReadOnlyList<TensorEntry> entries, Func<string, Tensor> read, long shardBytes = DefaultShardBytes)
    {
        var shards = Split(entries, shardBytes);
        if (shards.Count == 1)
        {
            Write(Path.Combine(folder, "model.safetensors"), entries, read);
            return;
        }

        var map = new JsonObject();
        for (var i = 0; i < shards.Count; i++)
        {
            var file = string.Create(CultureInfo.InvariantCulture, $"model-{i + 1:00000}-of-{shards.Count:00000}.safetensors");
            Write(Path.Combine(folder, file), shards[i], read);
            shards[i].ForEach(entry => map[entry.Name] = file);
        }

        var index = new JsonObject { ["metadata"] = new JsonObject { ["total_size"] = entries.Sum(e => e.Bytes) }, ["weight_map"] = map };
        TensorWriting.WriteWhole(Path.Combine(folder, "model.safetensors.index.json"), stream => JsonSerializer.Serialize(stream, index, Indented));
    }

    private static byte[] Header(IReadOnlyList<TensorEntry> entries)
    {
        var header = new JsonObject { ["__metadata__"] = new JsonObject { ["format"] = "pt" } };
        var offset = 0L;
        foreach (var entry in entries)
        {
            header[entry.Name] = new JsonObject
            {
                ["dtype"] = ElementTypes.SafeTensorsName(entry.Type),
                ["shape"] = new JsonArray([.. entry.Shape.Select(size => JsonValue.Create(size))]),
                ["data_offsets"] = new JsonArray(offset, offset + entry.Bytes),
            };
            offset += entry.Bytes;
        }

        // Spaces let the data begin on a cache line's boundary, where a mapped file is read as fast as memory.
        var bytes = JsonSerializer.SerializeToUtf8Bytes(header);
        return [.. bytes, .. Enumerable.Repeat((byte)' ', (CacheLine - ((sizeof(ulong) + bytes.Length) % CacheLine)) % CacheLine)];
    }

    private static List<List<TensorEntry>> Split(IReadOnlyList<TensorEntry> entries, long shardBytes)
    {
        List<List<TensorEntry>> shards = [[]];
        var size = 0L;
        foreach (var entry in entries)
        {
            if (size > 0 && size + entry.Bytes > shardBytes)
            {
                shards.Add([]);
                size = 0;
            }

            shards[^1].Add(entry);
            size += entry.Bytes;
        }

        return shards;
    }
}
