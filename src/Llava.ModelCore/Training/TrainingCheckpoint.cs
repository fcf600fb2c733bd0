using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Models;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training;

/// <summary>
/// The files of a training checkpoint and of the finished model: weights as LLaVA keeps them (alignment: config.json and
/// mm_projector.bin; otherwise a whole model with its vision tower beside it), optimizer moments, and where the run stands.
/// </summary>
internal sealed class TrainingCheckpoint(TrainingBase start, TrainingStage stage, string template)
{
    private const string OptimizerFile = "optimizer.safetensors";
    private const string ProjectorName = "mm_projector.bin";

    /// <summary>Writes the weights as the original's loader expects them.</summary>
    /// <param name="folder">An empty folder.</param>
    /// <param name="type">Type of the weights.</param>
    public void SaveWeights(string folder, ScalarType type)
    {
        var options = new CheckpointWriteOptions { StorageType = type, Generation = start.Generation, TokenizerFolder = start.Folder };
        if (stage == TrainingStage.Alignment)
        {
            options.OnlyProjectorTrained = true;
            LlavaModelSaver.SaveProjector(start.Model, Path.Combine(folder, ProjectorName), type);
            File.WriteAllText(Path.Combine(folder, "config.json"), CheckpointJson.Config(start.Model.Config, options).ToString());
            return;
        }

        // A model's name says little about its template, and a name of somebody's choice nothing.
        options.ConversationTemplate = template;
        options.VisionTower = start.Model.Config.Vision is null ? VisionTowerPlacement.Omitted : VisionTowerPlacement.Beside;
        options.PreprocessorConfig = start.PreprocessorConfigPath;
        LlavaModelSaver.Save(start.Model, folder, options);
    }

    /// <summary>Writes everything a run needs to go on: float32 weights, moments, state.</summary>
    public void Save(string folder, AdamW optimizer, TrainingState state)
    {
        SaveWeights(folder, ScalarType.Float32);
        var moments = optimizer.State.ToDictionary(moment => moment.Name, moment => moment.Value);
        SafeTensorsWriter.Write(
            Path.Combine(folder, OptimizerFile),
            [.. moments.Select(moment => new TensorEntry(moment.Key, ScalarType.Float32, moment.Value.shape))],
            name => moments[name]);
        state.Save(folder);
    }

    /// <summary>Sets model and optimizer to what <see cref="Save"/> wrote.</summary>
    /// <exception cref="CheckpointException">A file is damaged.</exception>
    public void Restore(string folder, AdamW optimizer, TrainingState state)
    {
        if (stage == TrainingStage.Alignment)
        {
            LlavaModelLoader.LoadProjector(start.Model, Path.Combine(folder, ProjectorName));
        }
        else
        {
            using var weights = CheckpointFolder.Open(folder);
            var trained = optimizer.Parameters.Select(parameter => parameter.Name).ToHashSet(StringComparer.Ordinal);
            TrainingBase.Fill(start.Model, weights.Tensors
                .Where(tensor => trained.Contains(tensor.Parameter.Name))
                .Select(tensor => (tensor.Parameter.Name, (Func<Tensor>)tensor.Read)));
        }

        using var moments = SafeTensorsFile.Open(Path.Combine(folder, OptimizerFile));
        optimizer.Restore(state.GlobalStep, moments.Read);
    }
}
