using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Checkpoints.Quantized;
using Llava.ModelCore.Kernels.Decoding;
using Llava.ModelCore.Kernels.Linear;
using Llava.ModelCore.Kernels.Threads;
using Llava.ModelCore.Kernels.Weights;
using Llava.ModelCore.Quantization;
using static TorchSharp.torch;

namespace Llava.ModelCore.Kernels.Files;

/// <summary>
/// Writes a checkpoint with its matrices packed, one by one: memory peaks at the largest of them. What is read from it gives the same answers, to the
/// bit, as quantizing the checkpoint while it is loaded.
/// </summary>
public static class PackedCheckpointWriter
{
    /// <summary>Writes the whole model, tokenizer and configs.</summary>
    /// <param name="from">Any checkpoint that can be read one parameter at a time.</param>
    /// <param name="folder">Made if need be; must hold no weights.</param>
    /// <param name="scheme">How the decoder is kept; not <see cref="QuantizationScheme.None"/>.</param>
    /// <exception cref="CheckpointException">A file is damaged, the checkpoint is packed already, or the folder already holds weights.</exception>
    public static void Write(CheckpointFolder from, string folder, QuantizationScheme scheme)
    {
        if (from.Packed is { } packed)
        {
            throw packed.Refusal(from.Path);
        }

        var tensors = from.Tensors.ToDictionary(tensor => tensor.Parameter.Name);
        Write(folder, from.Config, scheme, name => tensors[name].Read(), name => tensors[name].Entry.Type, CheckpointCopy.Options(from, null));
    }

    /// <summary>Writes a model whose parameters come from anywhere.</summary>
    /// <param name="folder">Made if need be; must hold no weights.</param>
    /// <param name="config">The model.</param>
    /// <param name="scheme">How the decoder is kept.</param>
    /// <param name="read">Gives a parameter by its name in our own layout.</param>
    /// <param name="typeOf">Type of a parameter, by its name in our own layout.</param>
    /// <param name="options">What to copy beside the weights.</param>
    internal static void Write(string folder, LlavaConfig config, QuantizationScheme scheme, Func<string, Tensor> read, Func<string, ScalarType> typeOf, CheckpointWriteOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfEqual(scheme, QuantizationScheme.None);
        ArgumentOutOfRangeException.ThrowIfEqual(scheme, QuantizationScheme.Fp8);
        using WorkerPool pool = new(WorkerPool.FreeCores);
        PackedHeader header = new(scheme);
        DecoderPacking packing = new(scheme, read, pool);
        var table = DecoderPart.Table(config.LanguageModel);
        var parts = DecoderPart.Of(config.LanguageModel).Where(part => part.Kind != DecoderPartKind.Table).ToDictionary(part => part.Name);
        var images = ModelParameters.Of(config).Where(parameter => header.Holds(parameter) && ModelParameters.IsImageMatrix(parameter)).ToDictionary(parameter => parameter.Name);
        options.VisionTower = config.Vision is null ? VisionTowerPlacement.Omitted : VisionTowerPlacement.Inside;
        options.ShardBytes = long.MaxValue;
        options.Packed = new PackedWeights(
            header,
            [.. parts.Values.Select(EntryOf), .. images.Values.Select(PackedEntry.Of)],
            name => images.TryGetValue(name, out var image)
                ? BytesOf(PackedImage(read(name), pool), PackedEntry.Of(image))
                : BytesOf(packing.Matrix(parts[name]), EntryOf(parts[name])),
            parameter => parameter.Name == table.Parameters[0].Name ? PackedEntry.TypeOf(DecoderFormats.Of(scheme, table, typeOf(parameter.Name))) : typeOf(parameter.Name));
        LlavaCheckpointWriter.Write(folder, config, read, options);

        TensorEntry EntryOf(DecoderPart part) => PackedEntry.Of(part, scheme, typeOf(part.Parameters[0].Name));
    }

    private static PackedMatrix PackedImage(Tensor stored, WorkerPool pool)
    {
        using (stored)
        {
            using var weight = stored.to(ScalarType.Float32).contiguous();
            return PackedLinear.Pack(weight, ImageMatrix.Format, pool);
        }
    }

    private static unsafe Tensor BytesOf(PackedMatrix matrix, TensorEntry entry)
    {
        using (matrix)
        {
            var tensor = empty([.. entry.Shape], entry.Type);
            new ReadOnlySpan<byte>(matrix.PanelAt(0), checked((int)matrix.Bytes)).CopyTo(tensor.bytes);
            return tensor;
        }
    }
}
