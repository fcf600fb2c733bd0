using System.Diagnostics.CodeAnalysis;
using System.Text;
using Llava.ModelCore.Native;
using static TorchSharp.torch;

namespace Llava.ModelCore.Checkpoints;

/// <summary>
/// A file written by <c>torch.save</c> since PyTorch 1.6: a zip archive with a pickle that describes tensors
/// (<c>data.pkl</c>) and their storages (<c>data/{key}</c>). Read without running the pickle; see <see cref="TensorPickle"/>.
/// </summary>
public sealed class TorchArchiveFile : ITensorSource
{
    private readonly MappedFile _file;
    private readonly Dictionary<string, (TensorEntry Entry, PickledTensor View, long StorageOffset)> _tensors = [];

    static TorchArchiveFile() => TorchLibrary.EnsureLoaded();

    private TorchArchiveFile(MappedFile file) => _file = file;

    /// <inheritdoc/>
    public string Path => _file.Path;

    /// <summary>The tensors, in the dictionary's order.</summary>
    public IReadOnlyCollection<TensorEntry> Entries => [.. _tensors.Values.Select(t => t.Entry)];

    /// <summary>Opens an archive and checks every tensor against its storage.</summary>
    /// <exception cref="CheckpointException">The file is damaged, of the older format, or asks for anything but tensors.</exception>
    public static TorchArchiveFile Open(string path)
    {
        var mapped = MappedFile.Open(path);
        try
        {
            var file = new TorchArchiveFile(mapped);
            file.ReadDirectory();
            return file;
        }
        catch
        {
            mapped.Dispose();
            throw;
        }
    }

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
        if (!_tensors.TryGetValue(name, out var found))
        {
            throw new CheckpointException($"'{Path}' has no tensor '{name}'; it has {_tensors.Count}, the first is '{_tensors.Keys.FirstOrDefault()}'.");
        }

        var (entry, view, storage) = found;
        var offset = storage + (view.Offset * ElementTypes.SizeOf(entry.Type));
        if (view.IsContiguous)
        {
            var tensor = empty([.. entry.Shape], entry.Type);
            _file.CopyTo(offset, tensor);
            return tensor;
        }

        using var span = empty([view.Span()], entry.Type);
        _file.CopyTo(offset, span);
        using var strided = span.as_strided([.. view.Shape], [.. view.Strides]);
        return strided.contiguous();
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private void ReadDirectory()
    {
        RequireZip();
        var entries = ZipDirectory.Read(_file);
        var pickle = entries.Keys.FirstOrDefault(name => name == "data.pkl" || (name.EndsWith("/data.pkl", StringComparison.Ordinal) && name.Count(c => c == '/') == 1))
            ?? throw new CheckpointException($"'{Path}' is a zip archive without data.pkl; it was not written by torch.save.");
        var prefix = pickle[..^"data.pkl".Length];
        if (entries.TryGetValue(prefix + "byteorder", out var order) && order.Length <= 16 && Encoding.ASCII.GetString(_file.Bytes(order.Offset, (int)order.Length)) != "little")
        {
            throw new CheckpointException($"'{Path}' was written on a big-endian machine; save it again on a little-endian one.");
        }

        foreach (var (name, tensor) in TensorPickle.Read(Path, Bytes(entries[pickle])))
        {
            Add(name, tensor, prefix, entries);
        }
    }

    private void RequireZip()
    {
        var start = _file.Bytes(0, (int)Math.Min(4, _file.Length));
        if (start is [0x80, ..])
        {
            throw new CheckpointException($"'{Path}' is a plain pickle, as PyTorch wrote before version 1.6. Load it with a recent PyTorch and save it again, or convert it to safetensors.");
        }

        if (start is not [(byte)'P', (byte)'K', ..])
        {
            throw new CheckpointException($"'{Path}' is not a torch archive: it does not start as a zip file does. Fetch it again.");
        }
    }

    private byte[] Bytes((long Offset, long Length) range) => range.Length <= int.MaxValue
        ? _file.Bytes(range.Offset, (int)range.Length)
        : throw new CheckpointException($"'{Path}' has a pickle of {range.Length} bytes; it is not a model's weights.");

    private void Add(string name, PickledTensor tensor, string prefix, Dictionary<string, (long Offset, long Length)> entries)
    {
        var storage = tensor.Storage;
        if (!entries.TryGetValue($"{prefix}data/{storage.Key}", out var data))
        {
            throw new CheckpointException($"'{Path}': tensor '{name}' uses storage '{storage.Key}', which the archive does not hold. It is truncated or corrupt.");
        }

        var available = data.Length / ElementTypes.SizeOf(storage.Type);
        if (!Fits(tensor, Math.Min(storage.Count, available)))
        {
            throw new CheckpointException(
                $"'{Path}': tensor '{name}' (shape [{string.Join(", ", tensor.Shape)}], strides [{string.Join(", ", tensor.Strides)}], offset {tensor.Offset}) does not fit its storage of {available} elements. The file is corrupt.");
        }

        _tensors.Add(name, (new TensorEntry(name, storage.Type, tensor.Shape), tensor, data.Offset));
    }

    /// <summary>Whether the view lies in a storage of that many elements, and does not repeat elements to seem larger than it.</summary>
    private static bool Fits(PickledTensor tensor, long elements)
    {
        try
        {
            var count = tensor.Shape.Aggregate(1L, (product, size) => checked(product * size));
            return tensor.Shape.Length == tensor.Strides.Length
                && tensor.Offset >= 0 && tensor.Shape.All(s => s >= 0) && tensor.Strides.All(s => s >= 0)
                && count <= elements && tensor.Span() <= elements - tensor.Offset;
        }
        catch (OverflowException)
        {
            return false;
        }
    }
}
