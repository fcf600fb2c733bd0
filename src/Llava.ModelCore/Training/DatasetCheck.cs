using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Imaging;
using Llava.ModelCore.Prompts;
using Llava.ModelCore.Tokenization;

namespace Llava.ModelCore.Training;

/// <summary>Checks a data set against the model that is to learn from it, without loading a weight.</summary>
public static class DatasetCheck
{
    /// <summary>Reads every sample, and every image where the recipe says so.</summary>
    /// <param name="recipe">Base, template, lengths and image folder.</param>
    /// <param name="data">The data set.</param>
    /// <exception cref="LlavaException">The base or the file cannot be read.</exception>
    public static DatasetReport Run(TrainingRecipe recipe, string data)
    {
        using var start = CheckpointFolder.Open(recipe.Base, new CheckpointOptions { VisionTowerFolder = recipe.VisionTower });
        var samples = InstructionDataset.Load(data);
        SampleProcessor processor = new(ConversationTemplates.Find(recipe.Template), TokenizerFolder.Open(start.TokenizerFolder), recipe.ModelMaxLength, start.Config.UseImageStartEnd);
        var images = start.Config.Vision is { } vision ? new SampleImages(recipe.ImageFolder, Preprocessor(start, vision), recipe.ImageAspectRatio) : null;
        List<SampleFinding> findings = [.. samples.Findings, .. new SampleRules(processor, images, recipe.VerifyImages).Check(samples.Samples.Values)];
        var bad = findings.Select(finding => finding.Index).ToHashSet();
        var lengths = samples.Samples.Values.Where(sample => !bad.Contains(sample.Index)).AsParallel()
            .Select(sample => Math.Min(processor.Process(sample).Ids.Length, processor.MaxLength) + (sample.Image is null ? 0 : start.Config.Vision!.Features - 1)).ToList();
        return new DatasetReport(lengths.Count, lengths.Sum(length => (long)length), findings);
    }

    private static ClipPreprocessor Preprocessor(CheckpointFolder start, VisionConfig vision) =>
        new(start.PreprocessorConfigPath is { } path ? PreprocessorConfig.Load(path) : PreprocessorConfig.ForSide(vision.ImageSize));
}

/// <summary>What a data set is like.</summary>
/// <param name="Samples">Samples that can be used.</param>
/// <param name="Positions">Text and image positions of one pass over them.</param>
/// <param name="Findings">What is wrong with the others.</param>
public sealed record DatasetReport(int Samples, long Positions, IReadOnlyList<SampleFinding> Findings);
