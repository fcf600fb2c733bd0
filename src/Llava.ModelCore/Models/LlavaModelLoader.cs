using Llava.ModelCore.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Models;

/// <summary>Fills models from checkpoints, one tensor at a time: memory peaks at the model and its largest tensor.</summary>
public static class LlavaModelLoader
{
    /// <summary>A model with float32 parameters on the CPU. For images alone, matrices that the checkpoint has packed are left as they are made.</summary>
    /// <param name="checkpoint">Where the weights are.</param>
    /// <param name="hasLanguage">Whether the decoder is part of it. Default true.</param>
    /// <exception cref="CheckpointException">A file is damaged.</exception>
    public static LlavaModel Load(CheckpointFolder checkpoint, bool hasLanguage = true)
    {
        var model = new LlavaModel(checkpoint.Config, hasLanguage);
        try
        {
            var parameters = Named(model);
            foreach (var tensor in checkpoint.Tensors.Where(tensor => parameters.ContainsKey(tensor.Parameter.Name) && (hasLanguage || !tensor.IsPacked)))
            {
                Fill(parameters[tensor.Parameter.Name], tensor.Read());
            }

            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Overwrites the projector's weights from a projector-only file such as mm_projector.bin (spec 2.6).</summary>
    /// <exception cref="CheckpointException">The file does not fit the model's projector.</exception>
    public static void LoadProjector(LlavaModel model, string path)
    {
        using var file = ProjectorFile.Open(path, model.Projector.Config);
        var parameters = Named(model);
        foreach (var tensor in file.Tensors)
        {
            Fill(parameters[tensor.Parameter.Name], tensor.Read());
        }
    }

    /// <summary>Every parameter by its name in our own layout.</summary>
    internal static Dictionary<string, Tensor> Named(LlavaModel model) =>
        model.named_parameters().ToDictionary(p => p.name, p => (Tensor)p.parameter);

    /// <summary>Overwrites a parameter and disposes the value.</summary>
    internal static void Fill(Tensor parameter, Tensor value)
    {
        using (value)
        using (no_grad())
        {
            parameter.copy_(value);
        }
    }
}
