using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Models;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Engine;

/// <summary>A model with seeded random weights: nonsense that is always the same nonsense.</summary>
internal static class RandomModel
{
    public static LlavaModel Create(LlavaConfig config, int seed = 1)
    {
        var model = new LlavaModel(config);
        var random = new Random(seed);
        using var mode = no_grad();
        foreach (var (name, parameter) in model.named_parameters())
        {
            using var scope = NewDisposeScope();
            var isNorm = name.Contains("norm", StringComparison.Ordinal) && name.EndsWith("weight", StringComparison.Ordinal);
            var scale = isNorm ? 0.2 : 1.5 / Math.Sqrt(parameter.shape[^1]);
            var values = new float[parameter.numel()];
            for (var i = 0; i < values.Length; i++)
            {
                // The sum of uniform numbers is near enough to a normal one.
                values[i] = (float)((isNorm ? 1 : 0) + (scale * (random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5) * 2));
            }

            parameter.copy_(tensor(values).view(parameter.shape));
        }

        return model;
    }
}
