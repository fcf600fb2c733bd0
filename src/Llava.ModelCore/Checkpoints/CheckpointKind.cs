using Llava.ModelCore.Checkpoints.Quantized;
using static TorchSharp.torch;

namespace Llava.ModelCore.Checkpoints;

/// <summary>
/// Tells what a folder holds from its config and its tensors' names, never from the folder's name (spec 2.10), and refuses
/// what is not a complete model of a kind we run, saying what was found.
/// </summary>
internal static class CheckpointKind
{
    // The final RMSNorm of a trained model is around 1; that of a delta is a difference of two such, around 0.
    private const double LargestDeltaNorm = 0.2;

    /// <summary>The layout of a whole model.</summary>
    /// <exception cref="CheckpointException">The model is of a kind we do not run.</exception>
    public static CheckpointLayout Recognise(ConfigSection config, ITensorSource tensors)
    {
        RefuseOtherKinds(config, tensors);
        return Any(tensors, "language_model.model.") ? CheckpointLayout.HfOld
            : Any(tensors, "model.language_model.") ? CheckpointLayout.HfNew
            : config.Has("mm_vision_tower") || Any(tensors, "model.mm_projector.") ? CheckpointLayout.LlavaOriginal
            : tensors.TryGetEntry("model.embed_tokens.weight", out _) || MptConfigReader.Applies(config) ? CheckpointLayout.PlainLanguageModel
            : throw Unknown(config, tensors);
    }

    /// <summary>Refuses the weights of a delta, which are differences and answer nonsense.</summary>
    /// <param name="tensors">The weights.</param>
    /// <param name="name">The final norm's weight.</param>
    public static void RefuseDelta(ITensorSource tensors, string name)
    {
        if (MeanOf(tensors, name) is < LargestDeltaNorm and var mean)
        {
            throw new CheckpointException($"'{tensors.Path}' looks like delta weights: its final norm '{name}' averages {mean:0.###}, a model's is around 1. Name the folder of its base model, and it is applied (or allow it explicitly).");
        }
    }

    /// <summary>Refuses a whole model where a delta is needed.</summary>
    /// <param name="tensors">The weights.</param>
    /// <param name="name">The final norm's weight.</param>
    public static void RequireDelta(ITensorSource tensors, string name)
    {
        if (MeanOf(tensors, name) is >= LargestDeltaNorm and var mean)
        {
            throw new CheckpointException($"'{tensors.Path}' is a whole model and needs no base: its final norm '{name}' averages {mean:0.###}, a delta's is around 0. Open it without a base.");
        }
    }

    private static double MeanOf(ITensorSource tensors, string name)
    {
        using var norm = tensors.Read(name);
        using var mean = norm.to(ScalarType.Float32).abs().mean();
        return mean.item<float>();
    }

    private static void RefuseOtherKinds(ConfigSection config, ITensorSource tensors)
    {
        var type = config.Text("model_type");
        if (PackedHeader.Of(config) is null)
        {
            ForeignQuantization.Refuse(config, tensors);
        }

        var isTiled = type == "llava_next" || config.Text("image_aspect_ratio") is { } aspect && aspect.StartsWith("anyres", StringComparison.Ordinal)
            || config.Text("mm_patch_merge_type")?.StartsWith("spatial", StringComparison.Ordinal) == true
            || tensors.Entries.Any(e => e.Name.EndsWith("image_newline", StringComparison.Ordinal));
        if (isTiled || config.Boolean("s2", false))
        {
            throw new CheckpointException($"'{config.File}' describes a model of several tiles per image ({(isTiled ? "LLaVA-1.6, anyres" : "S2")}); models of one square per image are supported.");
        }
    }

    private static bool Any(ITensorSource tensors, string prefix) => tensors.Entries.Any(e => e.Name.StartsWith(prefix, StringComparison.Ordinal));

    private static CheckpointException Unknown(ConfigSection config, ITensorSource tensors) => new(
        $"'{tensors.Path}' is neither LLaVA nor a language model of the LLaMA or MPT family: model_type is '{config.Text("model_type")}', architectures are [{string.Join(", ", config.Texts("architectures"))}], and its tensors are named like '{tensors.Entries.FirstOrDefault()?.Name}'.");
}
