using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Kernels.Decoding;
using Llava.ModelCore.Kernels.Files;
using Llava.ModelCore.Kernels.Threads;

namespace Llava.ModelCore.Engine;

/// <summary>A checkpoint's language model, packed as the engine's options say.</summary>
internal static class PackedCheckpoint
{
    /// <summary>Reads and packs tensor by tensor, or opens what is packed already.</summary>
    /// <exception cref="CheckpointException">A file is damaged, or a weight cannot be quantized.</exception>
    public static DecoderWeights Load(CheckpointFolder checkpoint, EngineOptions options)
    {
        if (checkpoint.Packed is { } packed)
        {
            return PackedFile.Open(checkpoint, packed);
        }

        var tensors = checkpoint.Tensors.ToDictionary(tensor => tensor.Parameter.Name);
        using WorkerPool pool = new(options.ThreadCount);
        return DecoderWeights.Pack(checkpoint.Config.LanguageModel, options.Quantize, name => tensors[name].Read(), pool);
    }
}
