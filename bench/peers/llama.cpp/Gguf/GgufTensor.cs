using Llava.Benchmarks.LlamaCpp.Peer;

namespace Llava.Benchmarks.LlamaCpp.Gguf;

/// <summary>A tensor of a GGUF file.</summary>
/// <param name="Name">Its name there.</param>
/// <param name="Type">How its numbers are kept.</param>
/// <param name="Shape">Lengths, the last runs fastest.</param>
/// <param name="Numbers">Gives the numbers.</param>
internal sealed unsafe record GgufTensor(string Name, GgmlType Type, IReadOnlyList<long> Shape, Func<float[]> Numbers)
{
    /// <summary>Bytes in the file.</summary>
    public long Bytes => Rows * (long)Ggml.RowBytes(Type, Shape[^1]);

    private long Rows => Shape.SkipLast(1).Aggregate(1L, (rows, length) => rows * length);

    /// <summary>The numbers as they are kept; llama.cpp itself rounds them.</summary>
    public byte[] Read()
    {
        var numbers = Numbers();
        var bytes = new byte[Bytes];
        fixed (float* source = numbers)
        fixed (byte* target = bytes)
        {
            Ggml.Quantize(Type, source, target, 0, Rows, Shape[^1], null);
        }

        return bytes;
    }
}
