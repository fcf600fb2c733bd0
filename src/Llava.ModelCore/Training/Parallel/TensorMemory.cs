using System.Buffers;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training.Parallel;

/// <summary>A tensor's numbers as memory that sockets take. The tensor must outlive it.</summary>
/// <param name="tensor">On the CPU, contiguous.</param>
internal sealed unsafe class TensorMemory(Tensor tensor) : MemoryManager<byte>
{
    private readonly byte* _start = StartOf(tensor);
    private readonly int _length = tensor.bytes.Length;

    /// <summary>All bytes of a tensor.</summary>
    public static Memory<byte> Of(Tensor tensor) => new TensorMemory(tensor).Memory;

    public override Span<byte> GetSpan() => new(_start, _length);

    public override MemoryHandle Pin(int elementIndex = 0) => new(_start + elementIndex);

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
    }

    private static byte* StartOf(Tensor tensor)
    {
        // Native memory does not move.
        fixed (byte* start = tensor.bytes)
        {
            return start;
        }
    }
}
