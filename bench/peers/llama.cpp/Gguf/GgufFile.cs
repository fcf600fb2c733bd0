using System.Text;

namespace Llava.Benchmarks.LlamaCpp.Gguf;

/// <summary>Writes GGUF, version 3: facts by name, then what the tensors are, then the tensors, each on a boundary of 32 bytes.</summary>
internal sealed class GgufFile
{
    private const int Alignment = 32;

    private readonly List<Action<BinaryWriter>> _facts = [];
    private readonly List<GgufTensor> _tensors = [];

    /// <summary>A number.</summary>
    public void Add(string name, uint value) => Add(name, 4, writer => writer.Write(value));

    /// <summary>A fraction.</summary>
    public void Add(string name, float value) => Add(name, 6, writer => writer.Write(value));

    /// <summary>A text.</summary>
    public void Add(string name, string value) => Add(name, 8, writer => Write(writer, value));

    /// <summary>A tensor.</summary>
    public void Add(GgufTensor tensor) => _tensors.Add(tensor);

    /// <summary>Writes the file; tensors are made one by one.</summary>
    public void Save(string path)
    {
        using BinaryWriter writer = new(File.Create(path));
        writer.Write("GGUF"u8);
        writer.Write(3u);
        writer.Write((ulong)_tensors.Count);
        writer.Write((ulong)_facts.Count);
        _facts.ForEach(fact => fact(writer));
        var offset = 0L;
        foreach (var tensor in _tensors)
        {
            Write(writer, tensor.Name);
            writer.Write(tensor.Shape.Count);
            foreach (var length in tensor.Shape.Reverse())
            {
                writer.Write(length);
            }

            writer.Write((int)tensor.Type);
            writer.Write(offset);
            offset += Aligned(tensor.Bytes);
        }

        foreach (var tensor in _tensors)
        {
            Fill(writer);
            writer.Write(tensor.Read());
        }

        Fill(writer);
    }

    private static long Aligned(long bytes) => (bytes + Alignment - 1) / Alignment * Alignment;

    private static void Fill(BinaryWriter writer) => writer.Write(new byte[Aligned(writer.BaseStream.Position) - writer.BaseStream.Position]);

    private static void Write(BinaryWriter writer, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        writer.Write((ulong)bytes.Length);
        writer.Write(bytes);
    }

    private void Add(string name, int kind, Action<BinaryWriter> value) => _facts.Add(writer =>
    {
        Write(writer, name);
        writer.Write(kind);
        value(writer);
    });
}
