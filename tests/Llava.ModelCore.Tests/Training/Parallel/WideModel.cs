using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Models;
using Llava.ModelCore.Training;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Training.Parallel;

/// <summary>A language model whose matrices are large enough for 8-bit moments, with random weights.</summary>
internal static class WideModel
{
    public const int Vocabulary = 200;

    public static LlavaConfig Config { get; } = new()
    {
        LanguageModel = new() { VocabularySize = Vocabulary, HiddenSize = 64, IntermediateSize = 160, Layers = 2, Heads = 4, KeyValueHeads = 4 },
    };

    public static LlavaModel Create()
    {
        // On weights this small a second thread only waits for the first.
        set_num_threads(1);
        var model = new LlavaModel(Config);
        var random = new SeededRandom(1, 0);
        foreach (var (name, value) in model.named_parameters())
        {
            random.Fill(value, name.Contains("norm", StringComparison.Ordinal) ? 1 : 0.2);
        }

        return model;
    }

    /// <summary>A micro-batch of two rows.</summary>
    public static TrainingBatch Batch(int seed)
    {
        var random = new SeededRandom(seed, 1);
        return TrainingBatch.Collate([.. Enumerable.Range(0, 2).Select(row => Row(row, random))], [], 0, padId: 0, maxLength: 64);
    }

    private static TrainingExample Row(int row, SeededRandom random)
    {
        int[] ids = [.. Enumerable.Range(0, 12 + row).Select(_ => 1 + random.Below(Vocabulary - 1))];
        return new(new InstructionSample(row, $"row-{row}", null, []), ids, [.. ids.Select((id, i) => i < 4 ? TrainingExample.Ignored : id)]);
    }
}
