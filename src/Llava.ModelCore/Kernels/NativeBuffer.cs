using System.Runtime.InteropServices;

namespace Llava.ModelCore.Kernels;

/// <summary>Memory outside the managed heap, on a cache line's boundary and zero, or somebody else's; may be larger than an array can be.</summary>
/// <typeparam name="T">Element.</typeparam>
internal sealed unsafe class NativeBuffer<T> : IDisposable
    where T : unmanaged
{
    private const int CacheLine = 64;

    private void* _allocated;
    private T* _start;

    /// <param name="length">Elements.</param>
    /// <exception cref="OutOfMemoryException">There is not so much memory.</exception>
    public NativeBuffer(long length)
    {
        Length = length;
        // Cleared by the system, page by page when they are first used. A line more than asked for to begin on one, and another so that a whole vector can be read at the last element.
        _allocated = NativeMemory.AllocZeroed(checked((nuint)((length * sizeof(T)) + (2 * CacheLine))));
        _start = (T*)(((nuint)_allocated + CacheLine - 1) & ~(nuint)(CacheLine - 1));
    }

    /// <summary>Memory that somebody else keeps and gives back, such as a mapped file.</summary>
    /// <param name="start">Its first element.</param>
    /// <param name="length">Elements.</param>
    public NativeBuffer(T* start, long length)
    {
        _start = start;
        Length = length;
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
        NativeMemory.Free(_allocated);
        _allocated = null;
        _start = null;
    }
}
