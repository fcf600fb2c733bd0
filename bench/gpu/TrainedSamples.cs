using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Tokenization;
using Llava.ModelCore.Training;

namespace Llava.Benchmarks.Gpu;

/// <summary>Samples that begin with their image and learn the second half of their words; drawn, and the same for the same seed.</summary>
/// <param name="config">The model.</param>
/// <param name="samples">Of a batch.</param>
/// <param name="words">Of a sample.</param>
/// <param name="seed">What they are drawn from.</param>
internal sealed class TrainedSamples(LlavaConfig config, int samples, int words, int seed)
{
    private const int FirstWord = 3;

    private readonly Random _random = new(seed);

    /// <summary>Words of each sample, the image left out, and what of them is learned.</summary>
    public IReadOnlyList<(int[] Words, int[] Labels)> Rows => field ??= [.. Enumerable.Range(0, samples).Select(_ => Row())];

    /// <summary>Pixels of each sample.</summary>
    public IReadOnlyList<float[]> Pixels => field ??= [.. Rows.Select(_ => Picture())];

    /// <summary>As the trainer takes them.</summary>
    public TrainingBatch Batch() => TrainingBatch.Collate(
        [.. Rows.Select((row, i) => new TrainingExample(new(i, $"{i}", "drawn", []), [ImagePlaceholder.TokenId, .. row.Words], [TrainingExample.Ignored, .. row.Labels]))],
        Pixels, config.Vision!.ImageSize, padId: 0, maxLength: words + 1);

    private (int[] Words, int[] Labels) Row()
    {
        int[] drawn = [.. Enumerable.Range(0, words).Select(_ => _random.Next(FirstWord, config.LanguageModel.VocabularySize))];
        return (drawn, [.. drawn.Select((id, i) => i < words / 2 ? TrainingExample.Ignored : id)]);
    }

    private float[] Picture()
    {
        var pixels = new float[3 * config.Vision!.ImageSize * config.Vision.ImageSize];
        for (var i = 0; i < pixels.Length; i++)
        {
            pixels[i] = _random.NextSingle() - 0.5f;
        }

        return pixels;
    }
}
