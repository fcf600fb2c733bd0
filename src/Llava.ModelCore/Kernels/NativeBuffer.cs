using System.Runtime.InteropServices;

namespace Llava.ModelCore.Kernels;

/// <summary>Memory outside the managed heap, on a cache line's boundary and cleared, or somebody else's; may be larger than an array can be.</summary>
/// <typeparam name="T">Element.</typeparam>
internal sealed unsafe class NativeBuffer<T> : IDisposable
    where T : unmanaged
{
    private const int CacheLine = 64;

    private readonly bool _isBorrowed;
    private T* _start;

    /// <param name="length">Elements.</param>
    /// <exception cref="OutOfMemoryException">There is not so much memory.</exception>
    public NativeBuffer(long length)
    {
        Length = length;
        // A line more than asked for, so that a whole vector can be read at the last element.
        var bytes = checked((nuint)((length * sizeof(T)) + CacheLine));
        _start = (T*)NativeMemory.AlignedAlloc(bytes, CacheLine);
        NativeMemory.Clear(_start, bytes);
    }

    /// <summary>Memory that somebody else keeps and gives back, such as a mapped file.</summary>
    /// <param name="start">Its first element.</param>
    /// <param name="length">Elements.</param>
    public NativeBuffer(T* start, long length)
    {
        _start = start;
        (Length, _isBorrowed) = (length, true);
    }

    ~NativeBuffer() => Free();

    /// <summary>Elements.</summary>
    public long Length { get; }

    /// <summary>Bytes of the elements.</summary>
    public long Bytes => Length * sizeof(T);

    /// <summary>The first element; valid until the buffer is disposed.</summary>
    public T* Start => _start;

    /// <inheritdoc/>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (!_isBorrowed)
        {
            NativeMemory.AlignedFree(_start);
        }

        _start = null;
    }
}
