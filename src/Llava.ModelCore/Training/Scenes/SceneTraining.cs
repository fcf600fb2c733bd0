using Llava.ModelCore.Models;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training.Scenes;

/// <summary>Trains the small LLaVA that ships, from random weights, on drawn scenes alone.</summary>
public static class SceneTraining
{
    /// <summary>Runs the recipe's stages in order; a run that was stopped goes on from the folder's snapshots.</summary>
    /// <param name="recipe">What to train.</param>
    /// <param name="folder">Folder of the snapshots; made if missing.</param>
    /// <param name="report">Called with the run's progress, on the training thread.</param>
    /// <param name="cancellation">Stops after the current step; the state is saved.</param>
    public static void Run(SceneRecipe recipe, string folder, Action<SceneProgress> report, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder);
        using var model = new LlavaModel(recipe.ModelConfig());
        SceneWeights.Initialize(model, recipe.Seed);
        model.ComputeIn(ScalarType.BFloat16);
        using (var tower = new TowerPretraining(model, ScalarType.BFloat16, recipe.Seed))
        {
            new SceneStageRun(tower, recipe.Pretraining, folder, recipe.SnapshotEvery, report).Run(cancellation);
        }

        var tokenizer = SceneTokenizer.Train(recipe.VocabularySize, recipe.MaxObjects);
        var tuning = new InstructionTuning(model, tokenizer, recipe);
        new SceneStageRun(tuning, recipe.Instruction, folder, recipe.SnapshotEvery, report).Run(cancellation);
    }
}
