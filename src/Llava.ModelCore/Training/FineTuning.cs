using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Prompts;

namespace Llava.ModelCore.Training;

/// <summary>Recipes for a LLaVA that learns something more: what its checkpoint says stays as it is.</summary>
public static class FineTuning
{
    /// <summary>A recipe with the checkpoint's own template, way of making images square, and lengths.</summary>
    /// <param name="folder">The checkpoint to start from.</param>
    /// <exception cref="CheckpointException">It cannot be read.</exception>
    /// <exception cref="TrainingException">It is a plain language model.</exception>
    public static TrainingRecipe RecipeFor(string folder)
    {
        using var start = CheckpointFolder.Open(folder);
        if (start.Config.Vision is null)
        {
            throw new TrainingException($"'{folder}' is a plain language model; fine-tuning starts from a LLaVA. Train the two stages with 'llava train' first.");
        }

        var template = start.ConversationTemplate ?? TemplateSelection.ForModelName(start.Name).Name;
        return new TrainingRecipe
        {
            Stage = TrainingStage.InstructionTuning,
            Base = start.Path,
            Template = template,
            ImageAspectRatio = start.Config.ImageAspect,
            MaxPositions = start.Config.MaxSplicedPositions,
            ModelMaxLength = Math.Min(start.Config.MaxSplicedPositions ?? start.ContextLength, start.ContextLength),
        };
    }

    /// <summary>Optimizer steps of a run over this many samples, as the trainer counts them.</summary>
    public static int StepsFor(TrainingRecipe recipe, int samples) =>
        recipe.MaxSteps ?? new MicroBatchPlan(new ShuffledOrder([.. Enumerable.Range(0, samples)], recipe.Seed), recipe.MicroBatch, recipe.GradientAccumulation).StepsFor(recipe.Epochs);
}
