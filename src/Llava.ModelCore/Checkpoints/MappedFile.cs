using System.IO.MemoryMappedFiles;
using static TorchSharp.torch;

namespace Llava.ModelCore.Checkpoints;

/// <summary>A file mapped read-only, from which bytes are copied with every range checked against its length.</summary>
internal sealed class MappedFile : IDisposable
{
    // A span holds at most 2³¹ − 1 bytes; tensors may be larger.
    private const long PieceBytes = 64L << 20;

    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private nint _address;

    private MappedFile(string path, long length)
    {
        (Path, Length) = (path, length);
        _file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        _view = _file.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
    }

    public string Path { get; }

    public long Length { get; }

    /// <summary>Where the file lies in memory: its pages are read when they are first touched. Valid until this is disposed, and not checked.</summary>
    public unsafe nint Address
    {
        get
        {
            if (_address == 0)
            {
                byte* pointer = null;
                _view.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
                _address = (nint)pointer;
            }

            return _address;
        }
    }

    /// <exception cref="CheckpointException">The file is missing or empty.</exception>
    public static MappedFile Open(string path)
    {
        var info = new FileInfo(path);
        if (!info.Exists)
        {
            throw new CheckpointException($"'{path}' does not exist.");
        }

        return info.Length > 0
            ? new MappedFile(path, info.Length)
            : throw new CheckpointException($"'{path}' is empty. Fetch it again.");
    }

    /// <summary>Bytes from <paramref name="offset"/> on.</summary>
    public byte[] Bytes(long offset, int count)
    {
        var bytes = new byte[count];
        CopyTo(offset, bytes);
        return bytes;
    }

    public unsafe void CopyTo(long offset, Span<byte> target)
    {
        if (offset < 0 || offset > Length - target.Length)
        {
            throw new CheckpointException($"'{Path}' ends at byte {Length}, but bytes {offset} to {offset + target.Length} are needed. It is truncated or corrupt.");
        }

        byte* pointer = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
        try
        {
            new ReadOnlySpan<byte>(pointer + offset, target.Length).CopyTo(target);
        }
        finally
        {
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
        }
    }

    /// <summary>Fills a contiguous CPU tensor of any size.</summary>
    public void CopyTo(long offset, Tensor target)
    {
        var size = ElementTypes.SizeOf(target.dtype);
        using var flat = target.view(-1);
        for (long start = 0, count; start < flat.NumberOfElements; start += count)
        {
            count = Math.Min(PieceBytes / size, flat.NumberOfElements - start);
            using var piece = flat.narrow(0, start, count);
            CopyTo(offset + (start * size), piece.bytes);
        }
    }

    public void Dispose()
    {
        if (_address != 0)
        {
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
            _address = 0;
        }

        _view.Dispose();
        _file.Dispose();
    }
}
