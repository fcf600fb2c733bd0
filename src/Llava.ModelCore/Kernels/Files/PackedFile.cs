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
    private readonly PackedTensors _file;

    private PackedFile(CheckpointFolder checkpoint, QuantizationScheme scheme)
    {
        _tensors = checkpoint.Tensors.ToDictionary(tensor => tensor.Parameter.Name);
        _scheme = scheme;
        _file = PackedTensors.Open(checkpoint);
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
            source.RequireNothingElse(checkpoint.Config, header);
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
        var type = _file.Entry(part.Name).Type;
        return _file.Matrix(PackedEntry.Of(part, _scheme, type), part.Rows, part.Columns, PackedEntry.FormatOf(part, _scheme, type));
    }

    /// <inheritdoc/>
    public EmbeddingTable Table(DecoderPart part)
    {
        var entry = _tensors[part.Parameters[0].Name].Entry;
        return new EmbeddingTable(part.Rows, part.Columns, DecoderFormats.Of(QuantizationScheme.None, part, entry.Type), _file.Memory(entry));
    }

    private void RequireNothingElse(LlavaConfig config, PackedHeader header)
    {
        var known = DecoderPart.Of(config.LanguageModel).Select(part => part.Name)
            .Concat(ModelParameters.Of(config).Where(header.Holds).Select(parameter => parameter.Name))
            .Select(name => PackedHeader.Prefix + name).ToHashSet();
        if (_file.Names.FirstOrDefault(name => !known.Contains(name)) is { } unknown)
        {
            throw new CheckpointException($"'{_file.Path}' holds '{unknown}', which its config has no use for. Config and weights do not belong together.");
        }
    }
}
