using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Prompts;
using Llava.ModelCore.Training.Optimizers;

namespace Llava.ModelCore.Training;

/// <summary>Recipes for runs that are asked for without one: a LLaVA that learns something more, whose checkpoint says what stays as it is, or the first stage of a new one.</summary>
public static class FineTuning
{
    // As the published scripts, whatever the language model can read.
    private const int LongestCaption = 2048;

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

    /// <summary>A recipe for the first stage, as published: a new projector from captions.</summary>
    /// <param name="folder">A plain language model.</param>
    /// <param name="tower">Folder of the CLIP tower.</param>
    /// <param name="projectorType"><c>linear</c> or <c>mlpNx_gelu</c>.</param>
    /// <param name="instructionTemplate">Template that the model is asked and tuned with later.</param>
    /// <exception cref="CheckpointException">It cannot be read.</exception>
    public static TrainingRecipe AlignmentFor(string folder, string tower, string projectorType, string instructionTemplate)
    {
        using var start = CheckpointFolder.Open(folder, new CheckpointOptions { VisionTowerFolder = tower });
        return new TrainingRecipe
        {
            Stage = TrainingStage.Alignment,
            Base = start.Path,
            VisionTower = Path.GetFullPath(tower),
            ProjectorType = projectorType,
            Template = "plain",
            InstructionTemplate = instructionTemplate,
            ModelMaxLength = Math.Min(LongestCaption, start.ContextLength),
        };
    }

    /// <summary>The recipe shared out over as many processes as can share out its steps alike, up to a number; one that another process has begun goes on as it was begun.</summary>
    /// <param name="recipe">For one process.</param>
    /// <param name="outputFolder">The run's output folder.</param>
    /// <param name="processes">How many there may be.</param>
    /// <param name="zero">What they share out beside the micro-batches, where the optimizer allows it.</param>
    public static TrainingRecipe ShareOut(TrainingRecipe recipe, string outputFolder, int processes, int zero)
    {
        if (processes == 1)
        {
            return recipe;
        }

        var begun = TrainingRun.AsBegun(recipe, new TrainingFolder(outputFolder));
        var samples = InstructionDataset.Load(recipe.Data).Samples.Count;
        var each = new MicroBatchPlan(new ShuffledOrder([.. Enumerable.Range(0, samples)], recipe.Seed), begun.MicroBatch, begun.GradientAccumulation).BatchesPerStep;
        var shared = Enumerable.Range(1, processes).Last(count => each % count == 0 && begun.GradientAccumulation % count == 0);
        return recipe with { Processes = shared, Zero = shared > 1 && recipe.Optimizer != OptimizerKind.Adafactor ? zero : 0, GradientAccumulation = begun.GradientAccumulation, MicroBatch = begun.MicroBatch };
    }

    /// <summary>Keeps what the optimizer remembers in host memory, where that saves any and the recipe's optimizer and processes can.</summary>
    public static TrainingRecipe Offload(TrainingRecipe recipe) =>
        recipe with { OffloadOptimizer = recipe.Optimizer != OptimizerKind.Adafactor && (recipe.Processes == 1 || recipe.Zero > 0) };

    /// <summary>Optimizer steps of a run over this many samples, as the trainer counts them.</summary>
    public static int StepsFor(TrainingRecipe recipe, int samples) =>
        recipe.MaxSteps ?? new MicroBatchPlan(new ShuffledOrder([.. Enumerable.Range(0, samples)], recipe.Seed), recipe.MicroBatch, recipe.GradientAccumulation).StepsFor(recipe.Epochs);
}
