using System.Globalization;
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

    /// <summary>
    /// Adapts every linear layer of the decoder but the head, and keeps the frozen weights as small as the recipe allows, one after the other on the device where it is going to be, so that a
    /// device never holds more than one of them as it was.
    /// </summary>
    public static void Attach(LlavaModel model, TrainingRecipe recipe, LoraRecipe lora, LayerPlacement placement)
    {
        if (model.Config.LanguageModel.Mpt is not null)
        {
            throw new TrainingException($"lora is given, but base '{recipe.Base}' is an MPT model; adapters are trained on decoders of the LLaMA family. Leave lora out.");
        }

        using var noGrad = no_grad();
        var random = new SeededRandom(recipe.Seed, Stream);
        foreach (var (name, layer) in Adapted(model))
        {
            layer.to(placement.Layers[IndexOf(name)]);
            if (recipe.Precision == TrainingPrecision.Bf16 && !lora.Nf4)
            {
                // Before the adapter stands beside it, which stays in float32.
                layer.to(ScalarType.BFloat16);
            }

            var factors = layer.Adapt(lora.Rank, lora.Alpha, lora.Dropout);
            random.Fill(factors.A, 1 / Math.Sqrt(factors.A.shape[1]));
            if (lora.Nf4)
            {
                layer.Quantize();
            }
        }
    }

    /// <summary>language_model.layers.7.self_attn.q_proj → 7.</summary>
    private static int IndexOf(string name) => int.Parse(name.Split('.')[2], CultureInfo.InvariantCulture);

    /// <summary>The adapted layers by name.</summary>
    public static IReadOnlyList<(string Name, LinearLayer Layer)> Adapted(LlavaModel model) =>
    [
        .. model.Language.named_modules().Where(module => module.module is LinearLayer && module.name != "lm_head")
            .Select(module => ("language_model." + module.name, (LinearLayer)module.module)),
    ];
}
