using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Imaging;
using Llava.ModelCore.Models;
using Llava.ModelCore.Native;
using Llava.ModelCore.Native.Cuda;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training;

/// <summary>The model a run starts from, put together from what the recipe names: base, vision tower, projector.</summary>
internal sealed class TrainingBase : IDisposable
{
    private TrainingBase(LlavaModel model, CheckpointFolder folder, string? preprocessorConfig) =>
        (Model, Folder, TokenizerFolder, Generation, PreprocessorConfigPath) = (model, folder.Path, folder.TokenizerFolder, folder.Generation, preprocessorConfig);

    /// <summary>On the recipe's device; float32, but for weights that stand frozen (<see cref="TrainingRecipe.RoundsFrozen"/>).</summary>
    public LlavaModel Model { get; }

    /// <summary>Folder of the base.</summary>
    public string Folder { get; }

    /// <summary>Folder of its tokenizer: the same, or that of the model which an adapter stands on.</summary>
    public string TokenizerFolder { get; }

    /// <summary>The base's generation defaults; they go with the trained model.</summary>
    public GenerationDefaults Generation { get; }

    /// <summary>The tower's preprocessor_config.json, if it has one.</summary>
    public string? PreprocessorConfigPath { get; }

    /// <summary>How images are prepared for the tower.</summary>
    public PreprocessorConfig Preprocessor => PreprocessorConfigPath is { } path
        ? PreprocessorConfig.Load(path)
        : PreprocessorConfig.ForSide(Model.Config.Vision!.ImageSize);

    /// <summary>Loads everything.</summary>
    /// <exception cref="CheckpointException">A folder or file is not what the recipe takes it for.</exception>
    /// <exception cref="TrainingException">The stage needs a vision tower and none is named.</exception>
    /// <exception cref="TorchLibraryException">libtorch does not see a device.</exception>
    public static TrainingBase Load(TrainingRecipe recipe)
    {
        using var folder = CheckpointFolder.Open(recipe.Base, new CheckpointOptions { VisionTowerFolder = recipe.VisionTower });
        var towerIsInBase = folder.Config.Vision is not null;
        var model = new LlavaModel(ConfigOf(folder, recipe));
        try
        {
            Fill(model, folder.Tensors.Select(tensor => (tensor.Parameter.Name, (Func<Tensor>)tensor.Read)));
            if (!towerIsInBase && recipe.VisionTower is { } tower)
            {
                FillTower(model, tower);
                NewProjector.Fill(model, recipe.Seed);
            }

            if (recipe.Projector is { } projector)
            {
                LlavaModelLoader.LoadProjector(model, projector);
            }

            var placement = PlacementOf(model.Config, recipe);
            if (recipe.Lora is { } lora)
            {
                LoraSetup.Attach(model, recipe, lora, placement);
            }

            if (recipe.RoundsFrozen)
            {
                FrozenWeights.Round(model, recipe);
            }

            // Last, when everything is as small as it is going to be.
            model.Place(placement);
        }
        catch
        {
            model.Dispose();
            throw;
        }

        return new TrainingBase(model, folder, PreprocessorConfigOf(folder, recipe));
    }

    /// <summary>Sizes and rules of the model that a recipe starts from, before a weight is read.</summary>
    /// <exception cref="TrainingException">The stage needs a vision tower and none is named.</exception>
    public static LlavaConfig ConfigOf(CheckpointFolder folder, TrainingRecipe recipe)
    {
        var towerIsInBase = folder.Config.Vision is not null;
        if (!towerIsInBase && recipe.VisionTower is null && recipe.Stage == TrainingStage.Alignment)
        {
            throw new TrainingException($"Alignment trains the projector behind a vision tower, but base '{recipe.Base}' is a plain language model. Name a CLIP folder as vision_tower.");
        }

        return (towerIsInBase || recipe.VisionTower is null ? folder.Config : WithTower(folder.Config, recipe, recipe.VisionTower)) with
        {
            ImageAspect = recipe.ImageAspectRatio,
            MaxSplicedPositions = recipe.MaxPositions,
        };
    }

    /// <summary>The preprocessor_config.json of the tower that a recipe starts from; null where there is none.</summary>
    public static string? PreprocessorConfigOf(CheckpointFolder folder, TrainingRecipe recipe) =>
        recipe.VisionTower is { } named && Path.Combine(named, "preprocessor_config.json") is var path && File.Exists(path) ? path : folder.PreprocessorConfigPath;

    /// <summary>Overwrites parameters by name.</summary>
    public static void Fill(LlavaModel model, IEnumerable<(string Name, Func<Tensor> Read)> tensors)
    {
        using var noGrad = no_grad();
        var parameters = model.named_parameters().ToDictionary(p => p.name, p => p.parameter);
        foreach (var (name, read) in tensors)
        {
            using var value = read();
            parameters[name].copy_(value);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Model.Dispose();

    private static LayerPlacement PlacementOf(LlavaConfig config, TrainingRecipe recipe) => recipe.LayerDevices is { } devices
        ? LayerPlacement.Over(config, [.. devices.Select(DeviceName.Find)])
        : LayerPlacement.On(config, DeviceName.Find(recipe.Device));

    private static LlavaConfig WithTower(LlavaConfig language, TrainingRecipe recipe, string tower)
    {
        var vision = VisionConfigReader.ReadFolder(Path.Combine(tower, "config.json")) with { SelectLayer = recipe.VisionSelectLayer };
        return language with
        {
            Vision = vision,
            Projector = NewProjector.Config(recipe.ProjectorType, vision, language.LanguageModel),
            VisionTowerName = tower,
        };
    }

    private static void FillTower(LlavaModel model, string folder)
    {
        var path = TensorContainer.FindIn(folder)
            ?? throw new TrainingException($"vision_tower '{folder}' holds no weights: none of {string.Join(", ", TensorContainer.FileNames)} is there.");
        using var source = TensorContainer.Open(path);
        var prefix = LayoutNames.FindVision(source)
            ?? throw new TrainingException($"'{path}' holds no CLIP vision tower: no tensor is named '…embeddings.class_embedding'.");
        var names = LayoutNames.Of(CheckpointLayout.LlavaOriginal, prefix);
        Fill(model, ModelParameters.OfVisionTower(model.Config.Vision!)
            .Select(parameter => (parameter.Name, (Func<Tensor>)(() => source.Read(names.InFile(parameter.Name, projectorDepth: 0))))));
    }
}
