using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Checkpoints.Quantized;
using Llava.ModelCore.Kernels.Decoding;
using Llava.ModelCore.Kernels.Weights;
using Llava.ModelCore.Quantization;
using static TorchSharp.torch;

namespace Llava.ModelCore.Kernels.Files;

/// <summary>
/// The decoder of a packed checkpoint, where it lies in the mapped file: opening reads the header and the norms, pages are read when they are first
/// multiplied, and several processes share them.
/// </summary>
internal sealed class PackedFile : IDecoderSource
{
    private readonly Dictionary<string, CheckpointTensor> _tensors;
    private readonly QuantizationScheme _scheme;
    private readonly SafeTensorsFile _file;

    private PackedFile(CheckpointFolder checkpoint, QuantizationScheme scheme)
    {
        _tensors = checkpoint.Tensors.ToDictionary(tensor => tensor.Parameter.Name);
        _scheme = scheme;
        _file = SafeTensorsFile.Open(_tensors[DecoderPart.Table(checkpoint.Config.LanguageModel).Parameters[0].Name].File);
    }

    /// <summary>Opens the decoder; the file stays mapped until the weights are disposed.</summary>
    /// <param name="checkpoint">A packed one; may be closed afterwards.</param>
    /// <param name="header">What it says of itself.</param>
    /// <exception cref="CheckpointException">A matrix is missing or not what the config calls for.</exception>
    public static DecoderWeights Open(CheckpointFolder checkpoint, PackedHeader header)
    {
        PackedFile source = new(checkpoint, header.Scheme);
        try
        {
            source.RequireNothingElse(checkpoint.Config.LanguageModel);
            return DecoderWeights.From(checkpoint.Config.LanguageModel, header.Scheme, source, source._file);
        }
        catch
        {
            source._file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public unsafe NativeBuffer<float> Vector(string parameter, int size)
    {
        using var stored = _tensors[parameter].Read();
        using var values = stored.to(ScalarType.Float32);
        NativeBuffer<float> vector = new(size);
        values.data<float>().CopyTo(new Span<float>(vector.Start, size));
        return vector;
    }

    /// <inheritdoc/>
    public PackedMatrix Matrix(DecoderPart part)
    {
        var name = PackedHeader.Prefix + part.Name;
        var found = _file.Entry(name);
        var expected = PackedEntry.Of(part, _scheme, found.Type);
        return found.Type == expected.Type && found.Shape.SequenceEqual(expected.Shape)
            ? new PackedMatrix(part.Rows, part.Columns, PackedEntry.FormatOf(part, _scheme, found.Type), Memory(name, found.Bytes))
            : throw new CheckpointException($"'{_file.Path}': '{name}' is {found.Type} of shape [{string.Join(", ", found.Shape)}], the config calls for {expected.Type} [{string.Join(", ", expected.Shape)}]. Config and weights do not belong together.");
    }

    /// <inheritdoc/>
    public EmbeddingTable Table(DecoderPart part)
    {
        var entry = _tensors[part.Parameters[0].Name].Entry;
        return new EmbeddingTable(part.Rows, part.Columns, DecoderFormats.Of(QuantizationScheme.None, part.Kind, entry.Type), Memory(entry.Name, entry.Bytes));
    }

    private void RequireNothingElse(LanguageModelConfig config)
    {
        var known = DecoderPart.Of(config).Select(part => PackedHeader.Prefix + part.Name).ToHashSet();
        if (_file.Entries.FirstOrDefault(entry => entry.Name.StartsWith(PackedHeader.Prefix, StringComparison.Ordinal) && !known.Contains(entry.Name)) is { } unknown)
        {
            throw new CheckpointException($"'{_file.Path}' holds '{unknown.Name}', which its config has no use for. Config and weights do not belong together.");
        }
    }

    private unsafe NativeBuffer<byte> Memory(string name, long bytes) => new((byte*)_file.AddressOf(name), bytes);
}
