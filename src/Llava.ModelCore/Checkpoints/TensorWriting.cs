using static TorchSharp.torch;

namespace Llava.ModelCore.Checkpoints;

/// <summary>What the writers of all containers share: files that appear whole or not at all, and tensors written piece by piece.</summary>
internal static class TensorWriting
{
    private const long PieceBytes = 64L << 20;

    /// <summary>Writes beside the target and renames, so that a crash never leaves half a file under its name.</summary>
    public static void WriteWhole(string path, Action<Stream> write)
    {
        var aside = $"{path}.{Path.GetRandomFileName()}.partial";
        try
        {
            using (var stream = new FileStream(aside, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1 << 20))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }

            File.Move(aside, path, overwrite: true);
        }
        catch
        {
            File.Delete(aside);
            throw;
        }
    }

    /// <summary>Writes a tensor's elements in the entry's type.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="entry">Name, type and shape promised by the header.</param>
    /// <param name="read">Gives the tensor; what it creates is released afterwards, what already lived is left alone.</param>
    /// <exception cref="CheckpointException">The tensor has another shape than its entry.</exception>
    public static void WriteTensor(Stream stream, TensorEntry entry, Func<string, Tensor> read)
    {
        using var scope = NewDisposeScope();
        using var isConstant = no_grad();
        var tensor = read(entry.Name);
        if (!tensor.shape.SequenceEqual(entry.Shape))
        {
            throw new CheckpointException($"Tensor '{entry.Name}' has shape [{string.Join(", ", tensor.shape)}]; [{string.Join(", ", entry.Shape)}] was to be written.");
        }

        var flat = tensor.detach().flatten();
        var pieces = PieceBytes / ElementTypes.SizeOf(entry.Type);
        for (long start = 0, count; start < flat.NumberOfElements; start += count)
        {
            count = Math.Min(pieces, flat.NumberOfElements - start);
            using var piece = flat.narrow(0, start, count).to(entry.Type).cpu().contiguous();
            stream.Write(piece.bytes);
        }
    }
}
