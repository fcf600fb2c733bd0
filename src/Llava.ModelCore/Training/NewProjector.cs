using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Models;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training;

/// <summary>Draws a projector as torch initialises linear layers: weights and biases uniform in ±1/√inputs.</summary>
internal static class NewProjector
{
    // Data orders use the epoch as their stream; a projector must not share one with them.
    private const long Stream = -1;

    /// <summary>Fills the projector of a model.</summary>
    public static void Fill(LlavaModel model, long seed)
    {
        using var noGrad = no_grad();
        var random = new SeededRandom(seed, Stream);
        var inputs = 0L;
        foreach (var (name, value) in model.Projector.named_parameters())
        {
            // Each layer's weight (outputs, inputs) comes before its bias.
            inputs = value.shape.Length == 2 ? value.shape[1] : inputs;
            random.Fill(value, 1 / Math.Sqrt(inputs));
        }
    }

    /// <summary>Sizes of a projector of the given type.</summary>
    /// <param name="type"><c>linear</c> or <c>mlpNx_gelu</c>.</param>
    /// <param name="vision">The tower it reads.</param>
    /// <param name="language">The decoder it writes for.</param>
    public static ProjectorConfig Config(string type, VisionConfig vision, LanguageModelConfig language) => new()
    {
        InputSize = vision.HiddenSize,
        OutputSize = language.HiddenSize,
        Depth = type == "linear" ? 1 : int.Parse(type["mlp".Length..type.IndexOf('x', StringComparison.Ordinal)], System.Globalization.CultureInfo.InvariantCulture),
    };
}
