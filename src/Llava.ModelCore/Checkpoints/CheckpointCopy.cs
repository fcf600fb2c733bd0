using Llava.ModelCore.Prompts;
using static TorchSharp.torch;

namespace Llava.ModelCore.Checkpoints;

/// <summary>
/// Writes a checkpoint that was opened, in the original LLaVA layout, one tensor in memory at a time. What was opened with its base is written as the whole
/// model: so adapters are merged, deltas applied and shards consolidated.
/// </summary>
public static class CheckpointCopy
{
    /// <summary>Writes the whole model, with its vision tower beside it.</summary>
    /// <param name="from">The checkpoint.</param>
    /// <param name="folder">Made if need be; must hold no weights.</param>
    /// <param name="type">Type of the weights; null keeps the checkpoint's.</param>
    /// <exception cref="CheckpointException">A file is damaged, or the folder already holds weights.</exception>
    public static void Write(CheckpointFolder from, string folder, ScalarType? type = null)
    {
        var tensors = from.Tensors.ToDictionary(tensor => tensor.Parameter.Name);
        LlavaCheckpointWriter.Write(folder, from.Config, name => tensors[name].Read(), Options(from, type));
    }

    /// <summary>Writes the projector alone, for <c>projector</c> of a recipe or the original's <c>--pretrain_mm_mlp_adapter</c> (spec 2.9).</summary>
    /// <param name="from">The checkpoint.</param>
    /// <param name="path">For example mm_projector.bin.</param>
    /// <exception cref="CheckpointException">The model has no projector.</exception>
    public static void WriteProjector(CheckpointFolder from, string path)
    {
        var projector = from.Config.Projector ?? throw new CheckpointException($"'{from.Path}' is a plain language model and has no projector.");
        var tensors = from.Tensors.ToDictionary(tensor => tensor.Parameter.Name);
        LlavaCheckpointWriter.WriteProjector(path, projector, name => tensors[name].Read(), from.StorageType);
    }

    /// <summary>Writes a model as its difference to a base, in float16 (spec 2.5): opening the result with that base gives the model again.</summary>
    /// <param name="target">The model.</param>
    /// <param name="start">The base, a language model.</param>
    /// <param name="folder">Made if need be; must hold no weights.</param>
    /// <exception cref="CheckpointException">The model does not stem from the base, or the folder already holds weights.</exception>
    public static void WriteDelta(CheckpointFolder target, CheckpointFolder start, string folder)
    {
        var (tensors, below) = (target.Tensors.ToDictionary(tensor => tensor.Parameter.Name), start.Tensors.ToDictionary(tensor => tensor.Parameter.Name));
        foreach (var parameter in ModelParameters.OfLanguageModel(target.Config.LanguageModel).Where(parameter => !below.TryGetValue(parameter.Name, out var found) || !Fits(parameter, found)))
        {
            throw new CheckpointException($"'{target.Path}' does not stem from base '{start.Path}': '{parameter.Name}' has shape [{string.Join(", ", parameter.Shape)}], in the base {(below.TryGetValue(parameter.Name, out var found) ? $"[{string.Join(", ", found.Parameter.Shape)}]" : "it is missing")}.");
        }

        var options = Options(target, ScalarType.Float16);
        options.VisionTower = VisionTowerPlacement.Omitted;
        LlavaCheckpointWriter.Write(folder, target.Config, name => below.TryGetValue(name, out var found) ? Difference(tensors[name], found) : tensors[name].Read(), options);
    }

    private static Tensor Difference(CheckpointTensor target, CheckpointTensor start)
    {
        var difference = target.Read().to(ScalarType.Float16, copy: true);
        var below = start.Read().to(ScalarType.Float16);
        var shared = below.shape is [var rows, var columns] ? difference.narrow(0, 0, rows).narrow(1, 0, columns) : difference;
        shared.add_(below, Native.Scalars.Of(-1));
        return difference;
    }

    /// <summary>Tables may have more rows than the base's: added tokens.</summary>
    private static bool Fits(ModelParameter parameter, CheckpointTensor start) => parameter.Shape.SequenceEqual(start.Parameter.Shape)
        || (parameter.Name is ModelParameters.LanguageModel + "embed_tokens.weight" or ModelParameters.LanguageModel + "lm_head.weight"
            && parameter.Shape[0] >= start.Parameter.Shape[0] && parameter.Shape[1] == start.Parameter.Shape[1]);

    /// <summary>How to write a copy.</summary>
    /// <param name="from">What is copied.</param>
    /// <param name="type">Type of the weights; null keeps the checkpoint's.</param>
    internal static CheckpointWriteOptions Options(CheckpointFolder from, ScalarType? type) => new()
    {
        StorageType = type ?? from.StorageType,
        VisionTower = from.Config.Vision is null ? VisionTowerPlacement.Omitted : VisionTowerPlacement.Beside,
        TokenizerFolder = from.TokenizerFolder,
        PreprocessorConfig = from.PreprocessorConfigPath,
        Generation = from.Generation,

        // The new folder's name need not tell what the old one's did.
        ConversationTemplate = from.Config.Vision is null ? from.ConversationTemplate : from.ConversationTemplate ?? TemplateSelection.ForModelName(from.Name).Name,
    };
}
