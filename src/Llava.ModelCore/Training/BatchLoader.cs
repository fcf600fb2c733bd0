using Llava.ModelCore.Imaging;

namespace Llava.ModelCore.Training;

/// <summary>Turns sample indices into micro-batches: tokens, labels and pixels, prepared on all cores.</summary>
/// <param name="samples">The samples by index.</param>
/// <param name="processor">Makes ids and labels.</param>
/// <param name="images">Prepares images; null for a model without a vision tower.</param>
internal sealed class BatchLoader(IReadOnlyDictionary<int, InstructionSample> samples, SampleProcessor processor, SampleImages? images)
{
    /// <summary>Loads one micro-batch.</summary>
    /// <exception cref="TrainingException">An image cannot be read; the message names the sample.</exception>
    public TrainingBatch Load(IReadOnlyList<int> indices)
    {
        var rows = Prepare(indices);
        return processor.Collate([.. rows.Select(row => row.Example)], images is null ? [] : [.. rows.Select(row => row.Pixels!)], images?.Side ?? 0);
    }

    private List<(TrainingExample Example, float[]? Pixels)> Prepare(IReadOnlyList<int> indices)
    {
        try
        {
            return [.. indices.AsParallel().AsOrdered().Select(index => (processor.Process(samples[index]), images?.Load(samples[index])))];
        }
        catch (AggregateException e) when (e.InnerExceptions[0] is LlavaException cause)
        {
            // The first sample's error says what to do; that it happened on another thread does not.
            throw new TrainingException(cause.Message, e);
        }
    }
}

/// <summary>The images of a data set, prepared for the vision tower.</summary>
/// <param name="folder">Folder the samples' paths start at.</param>
/// <param name="preprocessor">CLIP's processor.</param>
/// <param name="aspect">How an image becomes a square.</param>
internal sealed class SampleImages(string? folder, ClipPreprocessor preprocessor, ImageAspect aspect)
{
    private readonly ImageDecoder _decoder = new();

    /// <summary>The images of a recipe's data; null for a model without a vision tower.</summary>
    public static SampleImages? For(TrainingRecipe recipe, TrainingBase start) => start.Model.Config.Vision is null
        ? null
        : new(recipe.ImageFolder, new ClipPreprocessor(start.Preprocessor), recipe.ImageAspectRatio);

    /// <summary>Pixels along a side.</summary>
    public int Side => preprocessor.Side;

    /// <summary>Path of a sample's image.</summary>
    public string PathOf(InstructionSample sample) => Path.Combine(folder ?? "", sample.Image!);

    /// <summary>(3, side, side) normalised pixels; zeros for a text-only sample (spec 7.5).</summary>
    /// <exception cref="TrainingException">The image cannot be read.</exception>
    public float[] Load(InstructionSample sample)
    {
        if (sample.Image is null)
        {
            return new float[3 * Side * Side];
        }

        try
        {
            return preprocessor.Process(File.ReadAllBytes(PathOf(sample)), _decoder, aspect).Values;
        }
        catch (Exception e) when (e is ImageException or IOException or UnauthorizedAccessException)
        {
            throw new TrainingException($"The image '{PathOf(sample)}' of {sample.Name} cannot be used: {e.Message}", e);
        }
    }
}
