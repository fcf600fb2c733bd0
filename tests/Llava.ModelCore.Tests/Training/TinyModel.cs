using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Models;
using Llava.ModelCore.Tokenization;
using Llava.ModelCore.Training;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Training;

/// <summary>A LLaVA of a few thousand random weights and batches for it.</summary>
internal static class TinyModel
{
    public const int Vocabulary = 40;
    public const int ImageSide = 8;

    // On weights this small a second thread only waits for the first.
    static TinyModel() => set_num_threads(1);

    public static LlavaConfig Config { get; } = new()
    {
        LanguageModel = new() { VocabularySize = Vocabulary, HiddenSize = 16, IntermediateSize = 24, Layers = 2, Heads = 4, KeyValueHeads = 2 },
        Vision = new() { HiddenSize = 12, IntermediateSize = 20, Layers = 2, Heads = 2, ImageSize = ImageSide, PatchSize = 4 },
        Projector = new() { InputSize = 12, OutputSize = 16, Depth = 2 },
    };

    public static TrainingRecipe Recipe { get; } = new()
    {
        Stage = TrainingStage.InstructionTuning,
        LearningRate = 1e-2,
        WarmupRatio = 0,
        Precision = TrainingPrecision.Fp32,
    };

    public static LlavaModel Create(int seed = 1)
    {
        var model = new LlavaModel(Config);
        var random = new SeededRandom(seed, 0);
        using var noGrad = no_grad();
        foreach (var (name, value) in model.named_parameters())
        {
            using var scope = NewDisposeScope();
            var isNorm = name.Contains("norm", StringComparison.Ordinal) && name.EndsWith("weight", StringComparison.Ordinal);
            value.copy_(tensor(Enumerable.Range(0, (int)value.numel()).Select(_ => (float)((isNorm ? 1 : 0) + (0.4 * (random.Unit() - 0.5)))).ToArray()).view(value.shape));
        }

        return model;
    }

    /// <summary>A micro-batch of random rows; every row learns its second half.</summary>
    public static TrainingBatch Batch(int seed, params (int Length, bool HasImage)[] rows)
    {
        var random = new SeededRandom(seed, 1);
        var examples = rows.Select((row, index) =>
        {
            int[] ids = [.. Enumerable.Range(0, row.Length).Select(i => row.HasImage && i == 1 ? ImagePlaceholder.TokenId : 1 + random.Below(Vocabulary - 1))];
            int[] labels = [.. ids.Select((id, i) => i < row.Length / 2 ? TrainingExample.Ignored : id)];
            return new TrainingExample(new InstructionSample(index, $"row-{index}", row.HasImage ? "image.png" : null, []), ids, labels);
        }).ToList();
        var images = examples.Select(_ => Enumerable.Range(0, 3 * ImageSide * ImageSide).Select(_ => (float)(random.Unit() - 0.5)).ToArray()).ToList();
        return TrainingBatch.Collate(examples, images, ImageSide, padId: 0, maxLength: 64);
    }
}
