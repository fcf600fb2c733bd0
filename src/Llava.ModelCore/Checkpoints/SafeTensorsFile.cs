using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Text.Json;
using Llava.ModelCore.Native;
using static TorchSharp.torch;

namespace Llava.ModelCore.Checkpoints;

/// <summary>
/// A memory-mapped safetensors file: eight bytes of header length, a JSON header, raw little-endian data (spec 2.1).
/// Every offset is checked against the file before anything is read; tensors must cover the data without gap or overlap.
/// </summary>
public sealed class SafeTensorsFile : ITensorSource
{
    private const int MaxHeaderBytes = 100 * 1024 * 1024;

    private readonly MappedFile _file;
    private readonly Dictionary<string, (TensorEntry Entry, long Offset)> _tensors = [];

    static SafeTensorsFile() => TorchLibrary.EnsureLoaded();

    private SafeTensorsFile(MappedFile file) => _file = file;

    /// <inheritdoc/>
    public string Path => _file.Path;

    /// <summary>The tensors, in the header's order.</summary>
    public IReadOnlyCollection<TensorEntry> Entries => [.. _tensors.Values.Select(t => t.Entry)];

    /// <summary>Opens and checks a file.</summary>
    /// <exception cref="CheckpointException">The file is missing, truncated, or its header contradicts it.</exception>
    public static SafeTensorsFile Open(string path)
    {
        var mapped = MappedFile.Open(path);
        try
        {
            var file = new SafeTensorsFile(mapped);
            file.ReadHeader();
            return file;
        }
        catch
        {
            mapped.Dispose();
            throw;
        }
    }

    /// <summary>Whether the file holds this tensor.</summary>
    public bool Contains(string name) => _tensors.ContainsKey(name);

    /// <summary>What the header says about a tensor.</summary>
    /// <exception cref="CheckpointException">No such tensor.</exception>
    public TensorEntry Entry(string name) => Find(name).Entry;

    /// <inheritdoc/>
    public bool TryGetEntry(string name, [NotNullWhen(true)] out TensorEntry? entry)
    {
        var isFound = _tensors.TryGetValue(name, out var found);
        entry = found.Entry;
        return isFound;
    }

    /// <inheritdoc/>
    public Tensor Read(string name)
    {
        var (entry, offset) = Find(name);
        var tensor = empty([.. entry.Shape], entry.Type);
        _file.CopyTo(offset, tensor);
        return tensor;
    }

    /// <summary>The tensor's elements.</summary>
    /// <typeparam name="T">A type of the file's element size, for example float for F32.</typeparam>
    /// <exception cref="CheckpointException">No such tensor, or elements of another size.</exception>
    public T[] ReadArray<T>(string name)
        where T : unmanaged
    {
        var (entry, offset) = Find(name);
        var values = new T[entry.Count];
        var target = MemoryMarshal.AsBytes(values.AsSpan());
        if (target.Length != entry.Bytes)
        {
            throw new CheckpointException($"'{Path}': tensor '{name}' is {entry.Type} and cannot be read as {typeof(T).Name}.");
        }

        _file.CopyTo(offset, target);
        return values;
    }

    /// <summary>Where a tensor lies in memory: valid until the file is disposed, which is the caller's to see to.</summary>
    /// <exception cref="CheckpointException">No such tensor.</exception>
    internal nint AddressOf(string name) => _file.Address + (nint)Find(name).Offset;

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private (TensorEntry Entry, long Offset) Find(string name) => _tensors.TryGetValue(name, out var found)
        ? found
        : throw new CheckpointException($"'{Path}' has no tensor '{name}'; it has {_tensors.Count}, the first is '{_tensors.Keys.FirstOrDefault()}'.");

    private void ReadHeader()
    {
        if (_file.Length < 8)
        {
            throw new CheckpointException($"'{Path}' has {_file.Length} bytes; a safetensors file starts with an eight-byte header length.");
        }

        var headerLength = BinaryPrimitives.ReadUInt64LittleEndian(_file.Bytes(0, 8));
        if (headerLength > MaxHeaderBytes || headerLength > (ulong)(_file.Length - 8))
        {
            throw new CheckpointException($"'{Path}' says its header has {headerLength} bytes, but the file has {_file.Length}. It is truncated or not a safetensors file.");
        }

        try
        {
            using var json = JsonDocument.Parse(_file.Bytes(8, (int)headerLength));
            foreach (var property in json.RootElement.EnumerateObject().Where(p => p.Name != "__metadata__"))
            {
                Add(property, 8 + (long)headerLength);
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or OverflowException)
        {
            throw new CheckpointException($"'{Path}' has a header that is not safetensors JSON: {e.Message}", e);
        }

        RequireFullCover(8 + (long)headerLength);
    }

    private void Add(JsonProperty property, long dataStart)
    {
        var dtype = property.Value.GetProperty("dtype").GetString() ?? "";
        var type = ElementTypes.FromSafeTensors(dtype) ?? throw new CheckpointException(
            $"'{Path}': tensor '{property.Name}' has dtype '{dtype}'; supported are {ElementTypes.SafeTensorsNames}.");
        var shape = property.Value.GetProperty("shape").EnumerateArray().Select(e => e.GetInt64()).ToArray();
        var offsets = property.Value.GetProperty("data_offsets").EnumerateArray().Select(e => e.GetInt64()).ToArray();
        var entry = new TensorEntry(property.Name, type, shape);
        var isInside = offsets is [>= 0, _] && offsets[1] >= offsets[0] && offsets[1] <= _file.Length - dataStart;
        if (!isInside || shape.Any(s => s < 0) || entry.Bytes != offsets[1] - offsets[0])
        {
            throw new CheckpointException(
                $"'{Path}': tensor '{property.Name}' ({dtype}, shape [{string.Join(", ", shape)}]) claims bytes [{string.Join(", ", offsets)}] of {_file.Length - dataStart}. The file is truncated or corrupt.");
        }

        if (!_tensors.TryAdd(property.Name, (entry, dataStart + offsets[0])))
        {
            throw new CheckpointException($"'{Path}' lists tensor '{property.Name}' twice.");
        }
    }

    private void RequireFullCover(long dataStart)
    {
        var position = dataStart;
        foreach (var (entry, offset) in _tensors.Values.OrderBy(t => t.Offset).ThenBy(t => t.Entry.Bytes))
        {
            if (offset != position)
            {
                throw new CheckpointException(
                    $"'{Path}': tensor '{entry.Name}' starts at byte {offset}, but the one before it ends at {position}. Tensors must follow each other without gap or overlap; the file is corrupt.");
            }

            position += entry.Bytes;
        }

        if (position != _file.Length)
        {
            throw new CheckpointException($"'{Path}' has {_file.Length} bytes, but its tensors end at {position}. The file is corrupt.");
        }
    }
}
