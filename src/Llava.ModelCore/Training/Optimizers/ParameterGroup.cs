using Llava.ModelCore.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training.Optimizers;

/// <summary>A parameter the optimizer updates.</summary>
/// <param name="Name">Name in <see cref="LlavaModel"/>'s own layout.</param>
/// <param name="Value">float32; its gradient has the same shape. Where ranks share a parameter, the run of its numbers that this one updates.</param>
public sealed record TrainableParameter(string Name, Tensor Value)
{
    /// <summary>Numbers of the whole parameter.</summary>
    public long Numbers { get; init; } = Value.numel();
}

/// <summary>Parameters that share a learning rate and a weight decay.</summary>
/// <param name="Parameters">In the model's order.</param>
/// <param name="LearningRate">Highest learning rate; the schedule's factor is applied to it at every step.</param>
/// <param name="WeightDecay">Decoupled weight decay.</param>
public sealed record ParameterGroup(IReadOnlyList<TrainableParameter> Parameters, double LearningRate, double WeightDecay)
{
    /// <summary>
    /// Freezes everything the stage does not train and groups the rest as upstream's trainer does: decayed parameters, then
    /// those without decay (biases and LayerNorm; RMSNorm weights and embeddings are decayed), each split once more when the
    /// projector has a learning rate of its own (spec 7.8). Empty groups are left out.
    /// </summary>
    public static IReadOnlyList<ParameterGroup> For(LlavaModel model, TrainingRecipe recipe)
    {
        var layerNorms = model.named_modules().Where(module => module.module is LayerNormLayer)
            .Select(module => module.name + ".").ToList();
        var trained = new List<TrainableParameter>();
        foreach (var (name, value) in model.named_parameters())
        {
            value.requires_grad_(IsTrained(name, recipe));
            if (value.requires_grad)
            {
                trained.Add(new TrainableParameter(name, value));
            }
        }

        return [.. trained
            .GroupBy(parameter => (
                IsOwnRate: recipe.ProjectorLearningRate is not null && IsProjector(parameter.Name),
                IsDecayed: !parameter.Name.EndsWith(".bias", StringComparison.Ordinal)
                    && !layerNorms.Any(prefix => parameter.Name.StartsWith(prefix, StringComparison.Ordinal))))
            .OrderBy(group => group.Key.IsOwnRate).ThenByDescending(group => group.Key.IsDecayed)
            .Select(group => new ParameterGroup(
                [.. group],
                group.Key.IsOwnRate ? recipe.ProjectorLearningRate!.Value : recipe.LearningRate,
                group.Key.IsDecayed ? recipe.WeightDecay : 0))];
    }

    /// <summary>Whether a recipe's stage trains a parameter of that name.</summary>
    internal static bool IsTrained(string name, TrainingRecipe recipe) => recipe.Stage switch
    {
        TrainingStage.Alignment => IsProjector(name),
        _ when recipe.Lora is not null => name.Contains(LoraSetup.Marker, StringComparison.Ordinal) || (IsProjector(name) && !recipe.FreezeProjector),
        _ => (name.StartsWith("language_model.", StringComparison.Ordinal) && !recipe.FreezeLanguageModel) || (IsProjector(name) && !recipe.FreezeProjector),
    };

    private static bool IsProjector(string name) => name.StartsWith("projector.", StringComparison.Ordinal);
}
