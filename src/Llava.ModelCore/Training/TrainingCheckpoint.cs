using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Checkpoints.Partial;
using Llava.ModelCore.Models;
using Llava.ModelCore.Training.Parallel;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training;

/// <summary>
/// The files of a training checkpoint and of the finished model: weights as LLaVA keeps them (alignment: config.json and
/// mm_projector.bin; LoRA: the adapter and the projector; otherwise a whole model with its vision tower beside it), optimizer
/// state, and where the run stands.
/// </summary>
internal sealed class TrainingCheckpoint(TrainingBase start, TrainingRecipe recipe)
{
    private const string OptimizerFile = "optimizer.safetensors";
    private const string ProjectorName = "mm_projector.bin";

    /// <summary>Writes the weights as the original's loader expects them.</summary>
    /// <param name="folder">An empty folder.</param>
    /// <param name="type">Type of the weights.</param>
    /// <param name="gradients">Has the parameters that learn.</param>
    public void SaveWeights(string folder, ScalarType type, GradientSharing gradients)
    {
        var options = new CheckpointWriteOptions { StorageType = type, Generation = start.Generation, TokenizerFolder = start.TokenizerFolder };
        if (recipe.Stage == TrainingStage.Alignment)
        {
            options.OnlyProjectorTrained = true;
            LlavaModelSaver.SaveProjector(start.Model, Path.Combine(folder, ProjectorName), type);
            options.ConversationTemplate = recipe.InstructionTemplate;
            var config = CheckpointJson.Config(start.Model.Config, options);
            // A projector alone is opened together with its base.
            config["_name_or_path"] = start.Folder;
            File.WriteAllText(Path.Combine(folder, "config.json"), config.ToString());
            return;
        }

        // A model's name says little about its template, and a name of somebody's choice nothing.
        options.ConversationTemplate = recipe.Template;
        if (recipe.Lora is { } lora)
        {
            SaveAdapter(folder, lora, options);
            return;
        }

        options.VisionTower = start.Model.Config.Vision is null ? VisionTowerPlacement.Omitted : VisionTowerPlacement.Beside;
        options.PreprocessorConfig = start.PreprocessorConfigPath;
        var (all, learned) = (LlavaModelLoader.Named(start.Model), gradients.Parameters.ToDictionary(parameter => parameter.Name));
        LlavaCheckpointWriter.Write(folder, start.Model.Config, name => learned.TryGetValue(name, out var parameter) ? parameter.Whole() : all[name], options);
    }

    /// <summary>Writes everything a run needs to go on, however many ranks it then has: float32 weights, the moments of all ranks, state.</summary>
    public void Save(string folder, GradientSharing gradients, TrainingState state)
    {
        SaveWeights(folder, ScalarType.Float32, gradients);
        var moments = gradients.State.ToDictionary(moment => moment.Name);
        SafeTensorsWriter.Write(
            Path.Combine(folder, OptimizerFile),
            [.. moments.Values.Select(moment => new TensorEntry(moment.Name, moment.Type, moment.Shape))],
            name => moments[name].Gather());
        state.Save(folder);
    }

    /// <summary>This rank's side of <see cref="Save"/> on rank 0.</summary>
    public static void Hand(GradientSharing gradients)
    {
        foreach (var moment in gradients.State)
        {
            moment.Gather().Dispose();
        }
    }

    /// <summary>Sets model and optimizer to what <see cref="Save"/> wrote.</summary>
    /// <exception cref="CheckpointException">A file is damaged.</exception>
    public void Restore(string folder, GradientSharing gradients, TrainingState state)
    {
        if (recipe.Stage == TrainingStage.Alignment)
        {
            LlavaModelLoader.LoadProjector(start.Model, Path.Combine(folder, ProjectorName));
        }
        else if (recipe.Lora is not null)
        {
            RestoreAdapter(folder);
        }
        else
        {
            using var weights = CheckpointFolder.Open(folder);
            var trained = gradients.Parameters.ToDictionary(parameter => parameter.Name);
            using var noGrad = no_grad();
            foreach (var tensor in weights.Tensors.Where(tensor => trained.ContainsKey(tensor.Parameter.Name)))
            {
                using var scope = NewDisposeScope();
                var parameter = trained[tensor.Parameter.Name];
                parameter.Set(tensor.Read().to(parameter.Value.device));
            }
        }

        using var moments = SafeTensorsFile.Open(Path.Combine(folder, OptimizerFile));
        gradients.Restore(state.GlobalStep, moments.Read);
    }

    private void SaveAdapter(string folder, LoraRecipe lora, CheckpointWriteOptions options)
    {
        var parameters = LlavaModelLoader.Named(start.Model);
        LoraAdapterWriter.Write(
            folder,
            start.Model.Config,
            new LoraSettings(start.Folder, lora.Rank, lora.Alpha, lora.Dropout),
            LoraSetup.Adapted(start.Model).ToDictionary(layer => layer.Name, layer => (layer.Layer.Adapter!.A, layer.Layer.Adapter.B)),
            recipe.FreezeProjector ? null : name => parameters[name],
            options);
    }

    private void RestoreAdapter(string folder)
    {
        using var adapter = LoraAdapter.Open(folder);
        var pairs = adapter.Pairs.ToDictionary(pair => pair.Weight);
        var names = LayoutNames.Of(CheckpointLayout.LlavaOriginal);
        foreach (var (name, layer) in LoraSetup.Adapted(start.Model))
        {
            var pair = pairs[names.InFile(name, projectorDepth: 0) + ".weight"];
            LlavaModelLoader.Fill(layer.Adapter!.A, adapter.Read(pair.A));
            LlavaModelLoader.Fill(layer.Adapter.B, adapter.Read(pair.B));
        }

        if (!recipe.FreezeProjector)
        {
            LlavaModelLoader.LoadProjector(start.Model, LoraAdapter.TrainedBeside(folder)!);
        }
    }
}
