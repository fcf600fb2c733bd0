using System.Globalization;
using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Models;
using Llava.ModelCore.Training.Optimizers;
using Llava.ModelCore.Training.Parallel;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training;

/// <summary>What a run takes at its peak, from sizes alone; all in bytes. docs/training.md has the arithmetic.</summary>
/// <param name="Weights">All weights, those that stand frozen included.</param>
/// <param name="OptimizerState">What the optimizer remembers.</param>
/// <param name="Gradients">Gradients that are there at once.</param>
/// <param name="LayerInputs">Inputs of the decoder layers.</param>
/// <param name="Graphs">What layers keep for their gradient: those that are not recomputed, and one at work.</param>
/// <param name="Head">Logits, and the head's weight in the type that products are computed in.</param>
/// <param name="Images">The vision tower at work.</param>
/// <param name="Host">What <c>offload_optimizer</c> keeps in host memory, where that is another than the device's; not in <see cref="Total"/>.</param>
public sealed record MemoryEstimate(long Weights, long OptimizerState, long Gradients, long LayerInputs, long Graphs, long Head, long Images, long Host = 0)
{
    private const long Full = 4;
    private const long Rounded = 2;
    private const string Cpu = "cpu";
    private const double BytesPerNf4 = 4.13 / 8;
    private const double BytesPerCode = 2 * (1 + (4.0 / 256));

    private static readonly string[] Matrices = ["_proj.weight", "lm_head.weight", ".fc1.weight", ".fc2.weight", "patch_embedding.weight"];

    /// <summary>Everything together.</summary>
    public long Total => Weights + OptimizerState + Gradients + LayerInputs + Graphs + Head + Images;

    /// <summary>The figures as a person reads them.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Size(Total)} (weights {Size(Weights)}, optimizer {Size(OptimizerState)}, gradients {Size(Gradients)}, layers {Size(LayerInputs + Graphs)}, head {Size(Head)}, images {Size(Images)}){(Host == 0 ? "" : $" and {Size(Host)} of host memory")}");

    /// <summary>A number of bytes as a person reads it.</summary>
    public static string Size(long bytes) => bytes >= 1L << 30
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):0.0} GiB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 20):0} MiB");

    /// <summary>Estimates a run.</summary>
    /// <param name="config">The model.</param>
    /// <param name="recipe">What learns, how, and in which type.</param>
    /// <param name="lengths">Positions of the samples of the largest micro-batch, longest first.</param>
    /// <param name="recomputed">Decoder layers that are computed twice.</param>
    internal static MemoryEstimate Of(LlavaConfig config, TrainingRecipe recipe, IReadOnlyList<int> lengths, int recomputed)
    {
        var language = config.LanguageModel;
        var parts = ModelParameters.Of(config).ToList();
        var learning = Learning(parts, recipe).ToList();
        long element = recipe.Precision == TrainingPrecision.Bf16 ? 2 : 4;
        long tokens = lengths.Sum();
        var layer = parts.Where(parameter => ModelPart.Layer(0).Has(parameter.Name)).Sum(Count);
        var graph = GraphOf(language, recipe, lengths) + (element == 2 && (!IsTakenAsItIs(recipe) || DequantizesIntoGraph(recipe)) ? layer * element : 0);
        var (remembered, copies) = ((long)learning.Sum(parameter => StateOf(parameter, recipe)), recipe.OffloadOptimizer ? learning.Sum(parameter => OwnOf(parameter, recipe)) * Full : 0);
        return new(
            parts.Sum(parameter => (long)(Count(parameter) * BytesOf(parameter.Name, recipe))) + (IsAdapted(recipe) ? learning.Where(parameter => IsFactor(parameter.Name)).Sum(Count) * Full : 0),
            recipe.IsOffloaded ? 0 : remembered + copies,
            new GradientMemory([.. learning.Select(parameter => (parameter.Name, recipe.SplitWeights && IsMatrix(parameter.Name) ? Count(parameter) * Rounded / Full : Count(parameter)))], recipe).Peak(language.Layers) * Full,
            language.Layers * tokens * language.HiddenSize * Full,
            (language.Layers - Math.Min(recomputed, language.Layers - 1) + 1) * graph,
            (3 * Full * Math.Min(LayerwisePass.LogitsAtOnce(recipe.Device == Cpu), tokens * language.VocabularySize)) + ((long)language.VocabularySize * language.HiddenSize * (element == 2 && !IsTakenAsItIs(recipe) ? element : 0)),
            config.Vision is { } vision ? ImagesOf(vision, lengths.Count, element) : 0,
            // Gradients are as large as the copies.
            recipe.IsOffloaded ? remembered + (2 * copies) : 0);
    }

    private static bool IsAdapted(TrainingRecipe recipe) => recipe.Lora is not null;

    private static bool IsFactor(string name) => name.Contains(LoraSetup.Marker, StringComparison.Ordinal);

    private static long Count(ModelParameter parameter) => parameter.Shape.Aggregate(1L, (product, size) => product * size);

    private static bool IsDecoderMatrix(string name) => name.StartsWith("language_model.layers.", StringComparison.Ordinal) && name.EndsWith("_proj.weight", StringComparison.Ordinal);

    /// <summary>Operand of a product: of attention and MLP, of the head, of the tower's patches.</summary>
    private static bool IsMatrix(string name) => Matrices.Any(end => name.EndsWith(end, StringComparison.Ordinal));

    private static double BytesOf(string name, TrainingRecipe recipe) => recipe.Lora is { Nf4: true } && IsDecoderMatrix(name)
        ? BytesPerNf4
        : IsMatrix(name) && FrozenWeights.AreRounded(name, recipe) ? Rounded : Full;

    private static IEnumerable<ModelParameter> Learning(List<ModelParameter> parts, TrainingRecipe recipe)
    {
        var factors = recipe.Lora is not { } lora ? [] : parts.Where(parameter => IsDecoderMatrix(parameter.Name)).SelectMany(matrix => (ModelParameter[])
        [
            new(matrix.Name.Replace(".weight", LoraSetup.Marker + "A", StringComparison.Ordinal), [lora.Rank, matrix.Shape[1]]),
            new(matrix.Name.Replace(".weight", LoraSetup.Marker + "B", StringComparison.Ordinal), [matrix.Shape[0], lora.Rank]),
        ]);
        return parts.Concat(factors).Where(parameter => ParameterGroup.IsTrained(parameter.Name, recipe));
    }

    private static long OwnOf(ModelParameter parameter, TrainingRecipe recipe) => recipe.Zero == 0 ? Count(parameter) : Share.Of(Count(parameter), rank: 0, recipe.Processes).Length;

    /// <summary>Of rank 0, whose shares are the largest.</summary>
    private static double StateOf(ModelParameter parameter, TrainingRecipe recipe)
    {
        var own = OwnOf(parameter, recipe);
        return recipe.Optimizer switch
        {
            OptimizerKind.Adamw8bit when AdamW8Bit.IsCoded(parameter.Name, Count(parameter)) => own * BytesPerCode,
            OptimizerKind.Adafactor when parameter.Shape.Count > 1 => (parameter.Shape[^1] + parameter.Shape[^2]) * Full,
            OptimizerKind.Adafactor => own * Full,
            _ => own * 2 * Full,
        };
    }

    /// <summary>Whether products take weights in the type that these are kept in.</summary>
    private static bool IsTakenAsItIs(TrainingRecipe recipe) => recipe.RoundsFrozen || recipe.SplitWeights;

    /// <summary>On CUDA a weight in NF4 lies in the graph as the product took it.</summary>
    private static bool DequantizesIntoGraph(TrainingRecipe recipe) => recipe.Lora is { Nf4: true } && recipe.Device != Cpu;

    /// <summary>Norms and the residual stream in float32; products, gates and attention in the type they are computed in.</summary>
    private static long GraphOf(LanguageModelConfig config, TrainingRecipe recipe, IReadOnlyList<int> lengths)
    {
        var (hidden, inner, tokens) = ((long)config.HiddenSize, (long)config.IntermediateSize, lengths.Sum(length => (long)length));
        if (recipe.Device != Cpu && recipe.Precision == TrainingPrecision.Bf16 && FlashPackedAttention.Fits(config, DeviceType.CUDA, ScalarType.BFloat16))
        {
            return tokens * ((Full * hidden) + (Rounded * ((4 * hidden) + (3 * inner) + InputsOf(recipe, hidden, inner))));
        }

        var element = recipe.Precision == TrainingPrecision.Bf16 ? Rounded : Full;
        var square = (long)lengths.Count * lengths[0] * lengths[0] * config.Heads;
        return (tokens * ((6 * Full * hidden) + (element * ((7 * hidden) + (4 * inner))))) + (square * element);
    }

    /// <summary>Numbers that products keep of a token for the gradient of their weight: what goes in, or what is left of it and what was left out, once for each adapter; none where it is frozen.</summary>
    private static long InputsOf(TrainingRecipe recipe, long hidden, long inner) => recipe switch
    {
        { Lora.Dropout: > 0 } => 2 * ((6 * hidden) + inner),
        { Stage: TrainingStage.Alignment } or { FreezeLanguageModel: true } => 0,
        _ => (2 * hidden) + inner,
    };

    private static long ImagesOf(VisionConfig vision, int images, long element)
    {
        var positions = vision.Patches + 1L;
        return images * ((3L * vision.ImageSize * vision.ImageSize * Full * 3) + (2 * positions * positions * vision.Heads * element) + (positions * ((4 * Full * vision.HiddenSize) + (2 * element * vision.IntermediateSize))));
    }
}
