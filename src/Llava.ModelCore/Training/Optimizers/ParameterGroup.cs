using Llava.ModelCore.Models;
using Llava.ModelCore.Quantization;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training.Optimizers;

/// <summary>A parameter the optimizer updates.</summary>
/// <param name="Name">Name in <see cref="LlavaModel"/>'s own layout.</param>
/// <param name="Value">float32, or the half of it that products take; its gradient has the same shape and type. Where ranks share a parameter, the run of its numbers that this one updates.</param>
public sealed record TrainableParameter(string Name, Tensor Value)
{
    /// <summary>Numbers of the whole parameter.</summary>
    public long Numbers { get; init; } = Value.numel();

    /// <summary>int16, what makes float32 of a <see cref="Value"/> that is bfloat16; null where it is float32 itself.</summary>
    internal Tensor? Low { get; init; }

    /// <summary>The parameter in float32; where it is in two halves, a copy of its own.</summary>
    internal Tensor Whole() => Low is null ? Value : SplitFloat.Join(Value, Low);

    /// <summary>Sets the parameter to float32 numbers.</summary>
    internal void Set(Tensor whole)
    {
        if (Low is null)
        {
            Value.copy_(whole);
            return;
        }

        SplitFloat.Split(whole, Value, Low);
    }
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
    /// <param name="model">The model.</param>
    /// <param name="recipe">What learns, and how fast.</param>
    public static IReadOnlyList<ParameterGroup> For(LlavaModel model, TrainingRecipe recipe) => For(model, recipe, split: null);

    /// <summary>The same where parameters may be in two halves.</summary>
    internal static IReadOnlyList<ParameterGroup> For(LlavaModel model, TrainingRecipe recipe, SplitWeights? split)
    {
        var layerNorms = model.named_modules().Where(module => module.module is LayerNormLayer)
            .Select(module => module.name + ".").ToList();
        var trained = new List<TrainableParameter>();
        foreach (var (name, value) in model.named_parameters())
        {
            value.requires_grad_(IsTrained(name, recipe));
            if (value.requires_grad)
            {
                trained.Add(new TrainableParameter(name, value) { Low = split?.LowOf(name) });
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
