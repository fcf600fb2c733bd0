using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Training;

namespace Llava.Benchmarks.Gpu;

/// <summary>A form of training that is measured.</summary>
/// <param name="Name">As in the lines and for the script.</param>
/// <param name="Operations">Floating-point operations for each weight of the layers and each position: forward two, two more for what goes back, two more where the weights learn. What is computed twice counts once.</param>
/// <param name="Recipe">How it trains.</param>
internal sealed record TrainedForm(string Name, int Operations, TrainingRecipe Recipe)
{
    // Changes no weight.
    private const double NoRate = 1e-12;

    /// <summary>All forms, those that take least first.</summary>
    public static IReadOnlyList<TrainedForm> All(BenchSettings settings)
    {
        var device = settings.Device.type == TorchSharp.DeviceType.CUDA ? settings.Device.ToString() : "cpu";
        TrainingRecipe recipe = new() { Stage = TrainingStage.InstructionTuning, LearningRate = NoRate, WarmupRatio = 0, MicroBatch = settings.Sizes.TrainedSamples, Device = device };
        return
        [
            new("alignment", 4, recipe with { Stage = TrainingStage.Alignment }),
            new("lora", 4, recipe with { Lora = new() { Rank = settings.Sizes.Rank, Alpha = 2 * settings.Sizes.Rank, Dropout = 0 } }),
            new("full", 6, recipe),
        ];
    }

    /// <summary>Floating-point operations of a step.</summary>
    public double OperationsOf(LlavaConfig config, long positions) => (double)Operations * positions * ModelParameters.OfLanguageModel(config.LanguageModel)
        .Where(parameter => parameter.Name.EndsWith("_proj.weight", StringComparison.Ordinal)).Sum(parameter => parameter.Shape[0] * parameter.Shape[1]);
}
