using Llava.ModelCore.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training.Scenes;

/// <summary>Initial weights: norms 1, biases 0, embeddings and head N(0, 0.02²), matrices N(0, 1/inputs), those that write into the residual stream smaller by √(2·layers).</summary>
internal static class SceneWeights
{
    public static void Initialize(LlavaModel model, int seed)
    {
        using var scope = NewDisposeScope();
        using var withoutGradients = no_grad();
        var generator = new Generator((ulong)seed);
        foreach (var (name, value) in model.named_parameters())
        {
            var isTower = name.StartsWith("vision_tower.", StringComparison.Ordinal);
            var layers = isTower ? model.Config.Vision!.Layers : model.Config.LanguageModel.Layers;
            Fill(name, value, layers, generator);
        }
    }

    private static void Fill(string name, Tensor value, int layers, Generator generator)
    {
        var leaf = name.Split('.')[^2];
        if (name.EndsWith(".bias", StringComparison.Ordinal))
        {
            value.zero_();
        }
        else if (value.dim() == 1 && !name.EndsWith("class_embedding", StringComparison.Ordinal))
        {
            value.fill_(Native.Scalars.One);
        }
        else
        {
            var deviation = leaf is "embed_tokens" or "lm_head" or "position_embedding" || value.dim() == 1
                ? 0.02
                : 1 / Math.Sqrt(value[0].numel());
            var residual = leaf is "o_proj" or "down_proj" or "out_proj" or "fc2" ? Math.Sqrt(2.0 * layers) : 1;
            value.normal_(0, deviation / residual, generator);
        }
    }
}
