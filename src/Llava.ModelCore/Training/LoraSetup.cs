using Llava.ModelCore.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training;

/// <summary>Puts new adapters into a model, in the order the original does: weights first, then adapters beside them (spec 7.8).</summary>
internal static class LoraSetup
{
    // Data orders and projectors draw from other streams of the same seed.
    private const long Stream = -2;

    /// <summary>What the names of adapters' parameters contain.</summary>
    public const string Marker = "." + LinearLayer.AdapterName + ".";

    /// <summary>Adapts every linear layer of the decoder but the head, and keeps the frozen weights as small as the recipe allows.</summary>
    public static void Attach(LlavaModel model, TrainingRecipe recipe, LoraRecipe lora)
    {
        if (model.Config.LanguageModel.Mpt is not null)
        {
            throw new TrainingException($"lora is given, but base '{recipe.Base}' is an MPT model; adapters are trained on decoders of the LLaMA family. Leave lora out.");
        }

        using var noGrad = no_grad();
        var random = new SeededRandom(recipe.Seed, Stream);
        foreach (var layer in Adapted(model).Select(adapted => adapted.Layer))
        {
            var (outputs, inputs) = (layer.Weight.shape[0], layer.Weight.shape[1]);
            if (lora.Nf4)
            {
                layer.Quantize();
            }
            else if (recipe.Precision == TrainingPrecision.Bf16)
            {
                layer.to(ScalarType.BFloat16);
            }

            Draw(layer.Adapt(inputs, outputs, lora.Rank, lora.Alpha, lora.Dropout).A, inputs, random);
        }
    }

    /// <summary>The adapted layers by name.</summary>
    public static IReadOnlyList<(string Name, LinearLayer Layer)> Adapted(LlavaModel model) =>
    [
        .. model.Language.named_modules().Where(module => module.module is LinearLayer && module.name != "lm_head")
            .Select(module => ("language_model." + module.name, (LinearLayer)module.module)),
    ];

    private static void Draw(Tensor a, long inputs, SeededRandom random)
    {
        using var scope = NewDisposeScope();
        var bound = 1 / Math.Sqrt(inputs);
        a.copy_(tensor([.. Enumerable.Range(0, (int)a.numel()).Select(_ => (float)(((2 * random.Unit()) - 1) * bound))]).view(a.shape));
    }
}
