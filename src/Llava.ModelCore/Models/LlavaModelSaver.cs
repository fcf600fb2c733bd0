using Llava.ModelCore.Checkpoints;
using static TorchSharp.torch;

namespace Llava.ModelCore.Models;

/// <summary>Writes models as checkpoints in the original LLaVA layout.</summary>
public static class LlavaModelSaver
{
    /// <summary>Writes a complete folder; see <see cref="LlavaCheckpointWriter"/>.</summary>
    /// <exception cref="CheckpointException">The folder already holds weights.</exception>
    public static void Save(LlavaModel model, string folder, CheckpointWriteOptions options)
    {
        var parameters = LlavaModelLoader.Named(model);
        LlavaCheckpointWriter.Write(folder, model.Config, name => parameters[name], options);
    }

    /// <summary>Writes the projector alone, such as stage 1's mm_projector.bin.</summary>
    public static void SaveProjector(LlavaModel model, string path, ScalarType type)
    {
        var parameters = LlavaModelLoader.Named(model);
        LlavaCheckpointWriter.WriteProjector(path, model.Projector.Config, name => parameters[name], type);
    }
}
