using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using static TorchSharp.torch;

namespace Llava.ModelCore.Checkpoints;

/// <summary>Writes what <c>torch.save</c> writes for a dictionary of tensors, for programs that read nothing else.</summary>
public static class TorchArchiveWriter
{
    // Equal weights are equal files; the first time that an archive can hold.
    private static readonly DateTimeOffset NoTime = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Writes one archive.</summary>
    /// <param name="path">The file; it appears whole or not at all.</param>
    /// <param name="entries">Names, types and shapes, in the dictionary's order.</param>
    /// <param name="read">Gives a tensor by name; it is converted to its entry's type.</param>
    /// <exception cref="CheckpointException">A tensor has another shape than its entry.</exception>
    public static void Write(string path, IReadOnlyList<TensorEntry> entries, Func<string, Tensor> read) => TensorWriting.WriteWhole(path, stream =>
    {
        using var archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
        var root = Path.GetFileNameWithoutExtension(path);
        Add(archive, $"{root}/data.pkl", target => target.Write(Pickle(entries)));
        for (var i = 0; i < entries.Count; i++)
        {
            var entry = entries[i];
            Add(archive, string.Create(CultureInfo.InvariantCulture, $"{root}/data/{i}"), target => TensorWriting.WriteTensor(target, entry, read));
        }

        Add(archive, $"{root}/version", target => target.Write("3\n"u8));
    });

    /// <summary>Entries are stored as they are: torch reads them in place.</summary>
    private static void Add(ZipArchive archive, string name, Action<Stream> write)
    {
        var entry = archive.CreateEntry(name, CompressionLevel.NoCompression);
        entry.LastWriteTime = NoTime;
        using var target = entry.Open();
        write(target);
    }

    /// <summary>An OrderedDict of _rebuild_tensor_v2 calls, protocol 2, without memo.</summary>
    private static byte[] Pickle(IReadOnlyList<TensorEntry> entries)
    {
        using var stream = new MemoryStream();
        using var code = new BinaryWriter(stream, Encoding.UTF8);
        code.Write((ReadOnlySpan<byte>)[0x80, 2]);
        OrderedDictionary(code);
        code.Write((byte)'(');
        for (var i = 0; i < entries.Count; i++)
        {
            Text(code, entries[i].Name);
            Rebuild(code, entries[i], i.ToString(CultureInfo.InvariantCulture));
        }

        code.Write("u."u8);
        code.Flush();
        return stream.ToArray();
    }

    private static void Rebuild(BinaryWriter code, TensorEntry entry, string key)
    {
        Global(code, "torch._utils", "_rebuild_tensor_v2");
        code.Write("(("u8);
        Text(code, "storage");
        Global(code, "torch", ElementTypes.StorageName(entry.Type));
        Text(code, key);
        Text(code, "cpu");
        Integer(code, entry.Count);
        code.Write("tQ"u8);
        Integer(code, 0);
        Integers(code, entry.Shape);
        Integers(code, Strides(entry.Shape));
        code.Write((byte)0x89); // requires_grad: False
        OrderedDictionary(code);
        code.Write("tR"u8);
    }

    private static long[] Strides(IReadOnlyList<long> shape)
    {
        var strides = new long[shape.Count];
        var stride = 1L;
        for (var i = shape.Count - 1; i >= 0; i--)
        {
            strides[i] = stride;
            stride *= Math.Max(1, shape[i]);
        }

        return strides;
    }

    private static void OrderedDictionary(BinaryWriter code)
    {
        Global(code, "collections", "OrderedDict");
        code.Write(")R"u8);
    }

    private static void Global(BinaryWriter code, string module, string name) => code.Write(Encoding.ASCII.GetBytes($"c{module}\n{name}\n"));

    private static void Text(BinaryWriter code, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        code.Write((byte)'X');
        code.Write(bytes.Length);
        code.Write(bytes);
    }

    private static void Integers(BinaryWriter code, IEnumerable<long> values)
    {
        code.Write((byte)'(');
        foreach (var value in values)
        {
            Integer(code, value);
        }

        code.Write((byte)'t');
    }

    /// <summary>BININT where it fits, else LONG1 of eight bytes.</summary>
    private static void Integer(BinaryWriter code, long value)
    {
        if (value == (int)value)
        {
            code.Write((byte)'J');
            code.Write((int)value);
            return;
        }

        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        code.Write((ReadOnlySpan<byte>)[0x8a, 8]);
        code.Write(bytes);
    }
}
