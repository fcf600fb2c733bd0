using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Models;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training.Scenes;

/// <summary>Trains the small LLaVA that ships, from random weights, on drawn scenes alone.</summary>
public static class SceneTraining
{
    private const string TokenizerFolder = "tokenizer";

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

        var tokenizer = Tokenizer(recipe, Path.Combine(folder, TokenizerFolder));
        using var tuning = new InstructionTuning(model, tokenizer, recipe);
        new SceneStageRun(tuning, recipe.Instruction, folder, recipe.SnapshotEvery, report).Run(cancellation);
    }

    /// <summary>A run keeps the tokenizer it began with.</summary>
    private static SceneTokenizer Tokenizer(SceneRecipe recipe, string folder) => File.Exists(Path.Combine(folder, "tokenizer.model"))
        ? SceneTokenizer.Open(folder)
        : SceneTokenizer.Train(folder, recipe.VocabularySize, recipe.MaxObjects);

    /// <summary>The model that a run has come to, float32.</summary>
    /// <param name="recipe">The run's recipe.</param>
    /// <param name="folder">The run's folder.</param>
    /// <exception cref="CheckpointException">The run has not reached its last stage.</exception>
    public static LlavaModel LoadTrained(SceneRecipe recipe, string folder)
    {
        var model = new LlavaModel(recipe.ModelConfig());
        var parameters = model.named_parameters().ToLookup(p => p.name.StartsWith("vision_tower.", StringComparison.Ordinal), p => (p.name, (Tensor)p.parameter));
        SceneSnapshot.Load(Path.Combine(folder, TowerPretraining.StageName + ".safetensors"), parameters[true]);
        SceneSnapshot.Load(Path.Combine(folder, InstructionTuning.StageName + ".safetensors"), parameters[false]);
        return model;
    }

    /// <summary>Writes what a run has come to as a checkpoint in the original LLaVA layout: bfloat16, the vision tower inside.</summary>
    /// <param name="recipe">The run's recipe.</param>
    /// <param name="folder">The run's folder.</param>
    /// <param name="output">Folder of the checkpoint; must not hold weights yet.</param>
    /// <exception cref="CheckpointException">The run has not reached its last stage, or <paramref name="output"/> holds weights.</exception>
    public static void Export(SceneRecipe recipe, string folder, string output)
    {
        using var model = LoadTrained(recipe, folder);
        var parameters = model.named_parameters().ToDictionary(p => p.name, p => (Tensor)p.parameter);
        LlavaCheckpointWriter.Write(output, model.Config, name => parameters[name], new CheckpointWriteOptions
        {
            StorageType = ScalarType.BFloat16,
            VisionTower = VisionTowerPlacement.Inside,
            ConversationTemplate = SceneTokenizer.TemplateName,
            TokenizerFolder = Path.Combine(folder, TokenizerFolder),
        });
    }
}
