using System.IO.Compression;
using System.Text;

namespace Llava.ModelCore.Tests.Checkpoints;

/// <summary>Puts torch archives together opcode by opcode, also those torch would never write.</summary>
internal sealed class PickleBuilder
{
    private readonly List<byte> _code = [0x80, 2];

    public byte[] Code => [.. _code];

    public PickleBuilder Raw(params byte[] bytes)
    {
        _code.AddRange(bytes);
        return this;
    }

    public PickleBuilder Ops(string ascii) => Raw(Encoding.Latin1.GetBytes(ascii));

    public PickleBuilder Text(string text) => Ops("X").Raw(BitConverter.GetBytes(Encoding.UTF8.GetByteCount(text))).Raw(Encoding.UTF8.GetBytes(text));

    public PickleBuilder Integer(int value) => Ops("J").Raw(BitConverter.GetBytes(value));

    public PickleBuilder Long(long value) => Raw(0x8a, 8).Raw(BitConverter.GetBytes(value));

    public PickleBuilder Global(string module, string name) => Ops($"c{module}\n{name}\n");

    /// <summary>A tuple of whole numbers.</summary>
    public PickleBuilder Tuple(params long[] values)
    {
        Ops("(");
        foreach (var value in values)
        {
            Long(value);
        }

        return Ops("t");
    }

    /// <summary>The persistent id of a storage.</summary>
    public PickleBuilder Storage(string type, string key, long count) =>
        Ops("(").Text("storage").Global("torch", type).Text(key).Text("cpu").Long(count).Ops("tQ");

    /// <summary>A tensor that is a view into a storage of floats.</summary>
    public PickleBuilder Tensor(string key, long count, long offset, long[] shape, long[] strides) => Global("torch._utils", "_rebuild_tensor_v2").Ops("(")
        .Storage("FloatStorage", key, count).Long(offset).Tuple(shape).Tuple(strides).Raw(0x89).Global("collections", "OrderedDict").Ops(")RtR");

    /// <summary>Writes the archive with the pickle so far and storages of floats.</summary>
    public void Write(string path, CompressionLevel compression = CompressionLevel.NoCompression, params (string Key, float[] Values)[] storages)
    {
        using var archive = ZipFile.Open(path, ZipArchiveMode.Create);
        Add(archive, "archive/data.pkl", Code, compression);
        foreach (var (key, values) in storages)
        {
            Add(archive, $"archive/data/{key}", [.. values.SelectMany(BitConverter.GetBytes)], compression);
        }

        Add(archive, "archive/version", [.. "3\n"u8], compression);
    }

    private static void Add(ZipArchive archive, string name, byte[] bytes, CompressionLevel compression)
    {
        using var stream = archive.CreateEntry(name, compression).Open();
        stream.Write(bytes);
    }
}
