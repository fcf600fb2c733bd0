using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Models;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training.Speed;

/// <summary>A language model and a micro-batch to measure training with; both drawn, and the same every time.</summary>
internal static class RandomWork
{
    /// <summary>A learning rate that changes no weight.</summary>
    public const double NoRate = 1e-12;

    private const int Seed = 1;

    /// <summary>The model.</summary>
    public static LlavaModel Model(LlavaConfig config)
    {
        LlavaModel model = new(config);
        var random = new SeededRandom(Seed, 1);
        using var noGrad = no_grad();
        foreach (var (name, value) in model.named_parameters())
        {
            random.Fill(value, name.Contains("norm", StringComparison.Ordinal) ? 1 : 1 / Math.Sqrt(value.shape[^1]));
        }

        return model;
    }

    /// <summary>Samples of one length, as padding and packing are another matter; half of each is learned.</summary>
    public static TrainingBatch Batch(TrainingBenchmarkSettings settings)
    {
        var random = new SeededRandom(Seed, 0);
        var examples = Enumerable.Range(0, settings.Tokens / settings.Length).Select(index =>
        {
            int[] ids = [.. Enumerable.Range(0, settings.Length).Select(_ => 1 + random.Below(settings.Model.VocabularySize - 1))];
            return new TrainingExample(new(index, $"{index}", null, []), ids, [.. ids.Select((id, i) => i < settings.Length / 2 ? TrainingExample.Ignored : id)]);
        }).ToList();
        return TrainingBatch.Collate(examples, [], 0, padId: 0, settings.Length);
    }
}
