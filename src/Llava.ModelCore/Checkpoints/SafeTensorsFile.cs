using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;
using System.Text.Json;
using static TorchSharp.torch;

namespace Llava.ModelCore.Checkpoints;

/// <summary>
/// A memory-mapped safetensors file: eight bytes of header length, a JSON header, raw little-endian data (spec 2.1).
/// Every offset is checked against the file before anything is read.
/// </summary>
public sealed class SafeTensorsFile : IDisposable
{
    private const int MaxHeaderBytes = 100 * 1024 * 1024;

    private static readonly Dictionary<string, (ScalarType Type, int Bytes)> Types = new()
    {
        ["F64"] = (ScalarType.Float64, 8),
        ["F32"] = (ScalarType.Float32, 4),
        ["F16"] = (ScalarType.Float16, 2),
        ["BF16"] = (ScalarType.BFloat16, 2),
        ["I64"] = (ScalarType.Int64, 8),
        ["I32"] = (ScalarType.Int32, 4),
        ["I16"] = (ScalarType.Int16, 2),
        ["I8"] = (ScalarType.Int8, 1),
        ["U8"] = (ScalarType.Byte, 1),
        ["BOOL"] = (ScalarType.Bool, 1),
    };

    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly Dictionary<string, (TensorEntry Entry, long Offset, long Bytes)> _tensors = [];

    private SafeTensorsFile(string path, long length)
    {
        Path = path;
        _file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        _view = _file.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The tensors, in the header's order.</summary>
    public IEnumerable<TensorEntry> Entries => _tensors.Values.Select(t => t.Entry);

    /// <summary>Opens and checks a file.</summary>
    /// <exception cref="CheckpointException">The file is missing, truncated, or its header contradicts it.</exception>
    public static SafeTensorsFile Open(string path)
    {
        var info = new FileInfo(path);
        if (!info.Exists)
        {
            throw new CheckpointException($"'{path}' does not exist.");
        }

        if (info.Length < 8)
        {
            throw new CheckpointException($"'{path}' has {info.Length} bytes; a safetensors file starts with an eight-byte header length.");
        }

        var file = new SafeTensorsFile(path, info.Length);
        try
        {
            file.ReadHeader(info.Length);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Whether the file holds this tensor.</summary>
    public bool Contains(string name) => _tensors.ContainsKey(name);

    /// <summary>What the header says about a tensor.</summary>
    /// <exception cref="CheckpointException">No such tensor.</exception>
    public TensorEntry Entry(string name) => Find(name).Entry;

    /// <summary>A copy of the tensor on the CPU, in the file's own type.</summary>
    /// <exception cref="CheckpointException">No such tensor.</exception>
    public Tensor Read(string name)
    {
        var (entry, offset, bytes) = Find(name);
        var tensor = empty([.. entry.Shape], entry.Type);
        CopyTo(offset, tensor.bytes, bytes);
        return tensor;
    }

    /// <summary>The tensor's elements.</summary>
    /// <typeparam name="T">A type of the file's element size, for example float for F32.</typeparam>
    /// <exception cref="CheckpointException">No such tensor, or elements of another size.</exception>
    public T[] ReadArray<T>(string name)
        where T : unmanaged
    {
        var (entry, offset, bytes) = Find(name);
        var values = new T[entry.Count];
        var target = System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan());
        if (target.Length != bytes)
        {
            throw new CheckpointException($"'{Path}': tensor '{name}' is {entry.Type} and cannot be read as {typeof(T).Name}.");
        }

        CopyTo(offset, target, bytes);
        return values;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _view.Dispose();
        _file.Dispose();
    }

    private unsafe void CopyTo(long offset, Span<byte> target, long bytes)
    {
        byte* pointer = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
        try
        {
            new ReadOnlySpan<byte>(pointer + offset, checked((int)bytes)).CopyTo(target);
        }
        finally
        {
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
        }
    }

    private (TensorEntry Entry, long Offset, long Bytes) Find(string name) => _tensors.TryGetValue(name, out var found)
        ? found
        : throw new CheckpointException($"'{Path}' has no tensor '{name}'; it has {_tensors.Count}, the first is '{_tensors.Keys.FirstOrDefault()}'.");

    private void ReadHeader(long length)
    {
        Span<byte> prefix = stackalloc byte[8];
        CopyTo(0, prefix, 8);
        var headerLength = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (headerLength > MaxHeaderBytes || headerLength > (ulong)(length - 8))
        {
            throw new CheckpointException($"'{Path}' says its header has {headerLength} bytes, but the file has {length}. It is truncated or not a safetensors file.");
        }

        var header = new byte[headerLength];
        CopyTo(8, header, header.Length);
        try
        {
            using var json = JsonDocument.Parse(header);
            foreach (var property in json.RootElement.EnumerateObject().Where(p => p.Name != "__metadata__"))
            {
                Add(property, 8 + (long)headerLength, length);
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or OverflowException)
        {
            throw new CheckpointException($"'{Path}' has a header that is not safetensors JSON: {e.Message}", e);
        }
    }

    private void Add(JsonProperty property, long dataStart, long length)
    {
        var type = property.Value.GetProperty("dtype").GetString() ?? "";
        if (!Types.TryGetValue(type, out var known))
        {
            throw new CheckpointException($"'{Path}': tensor '{property.Name}' has dtype '{type}'; supported are {string.Join(", ", Types.Keys)}.");
        }

        var shape = property.Value.GetProperty("shape").EnumerateArray().Select(e => e.GetInt64()).ToArray();
        var offsets = property.Value.GetProperty("data_offsets").EnumerateArray().Select(e => e.GetInt64()).ToArray();
        var entry = new TensorEntry(property.Name, known.Type, shape);
        var isInside = offsets is [>= 0, _] && offsets[1] >= offsets[0] && offsets[1] <= length - dataStart;
        if (!isInside || shape.Any(s => s < 0) || checked(entry.Count * known.Bytes) != offsets[1] - offsets[0])
        {
            throw new CheckpointException(
                $"'{Path}': tensor '{property.Name}' ({type}, shape [{string.Join(", ", shape)}]) claims bytes [{string.Join(", ", offsets)}] of {length - dataStart}. The file is truncated or corrupt.");
        }

        if (!_tensors.TryAdd(property.Name, (entry, dataStart + offsets[0], offsets[1] - offsets[0])))
        {
            throw new CheckpointException($"'{Path}' lists tensor '{property.Name}' twice.");
        }
    }
}
