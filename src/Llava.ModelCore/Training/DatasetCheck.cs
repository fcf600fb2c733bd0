using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Imaging;
using Llava.ModelCore.Prompts;
using Llava.ModelCore.Tokenization;

namespace Llava.ModelCore.Training;

/// <summary>Checks a data set against the model that is to learn from it, without loading a weight.</summary>
public static class DatasetCheck
{
    /// <summary>Reads every sample, and every image where the recipe says so.</summary>
    /// <param name="recipe">Base, template, lengths, image folder, and the data to measure with.</param>
    /// <param name="data">The data set.</param>
    /// <exception cref="LlavaException">The base or a file cannot be read.</exception>
    public static DatasetReport Run(TrainingRecipe recipe, InstructionDataset data)
    {
        using var start = CheckpointFolder.Open(recipe.Base, new CheckpointOptions { VisionTowerFolder = recipe.VisionTower });
        var config = TrainingBase.ConfigOf(start, recipe);
        SampleProcessor processor = new(ConversationTemplates.Find(recipe.Template), TokenizerFolder.Open(start.TokenizerFolder), recipe.ModelMaxLength, config.UseImageStartEnd);
        var images = config.Vision is { } vision ? new SampleImages(recipe.ImageFolder, Preprocessor(start, recipe, vision), recipe.ImageAspectRatio) : null;
        var result = SampleRules.For(recipe, config, processor, images).Check(data.Samples.Values);
        return DatasetReport.Of(data, [.. data.Findings, .. result.Findings], result.Sizes, recipe.ValidationData is { } measured && File.Exists(measured) ? InstructionDataset.Load(measured) : null);
    }

    private static ClipPreprocessor Preprocessor(CheckpointFolder start, TrainingRecipe recipe, VisionConfig vision) =>
        new(TrainingBase.PreprocessorConfigOf(start, recipe) is { } path ? PreprocessorConfig.Load(path) : PreprocessorConfig.ForSide(vision.ImageSize));
}
