using Llava.ModelCore.Models;
using Llava.ModelCore.Training.Optimizers;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training;

/// <summary>Weights of products that stand frozen, kept in the type they are multiplied in: half the memory, nothing to convert in each product, and the same products.</summary>
internal static class FrozenWeights
{
    /// <summary>Rounds the frozen matrices to bfloat16, but for those of layers with adapters, which are <see cref="LoraSetup"/>'s, and the projector's, which are small.</summary>
    public static void Round(LlavaModel model, TrainingRecipe recipe)
    {
        foreach (var (name, module) in model.named_modules())
        {
            if (module is LinearLayer { Adapter: null } or PatchProjection && AreRounded(name + ".", recipe))
            {
                module.to(ScalarType.BFloat16);
            }
        }
    }

    /// <summary>Whether a recipe has parameters of products rounded whose names begin so.</summary>
    public static bool AreRounded(string name, TrainingRecipe recipe) =>
        recipe.RoundsFrozen && !name.StartsWith("projector.", StringComparison.Ordinal) && !ParameterGroup.IsTrained(name, recipe);
}
