using Llava.ModelCore.Models;
using Llava.ModelCore.Native;
using static TorchSharp.torch;

namespace Llava.ModelCore.Engine;

/// <summary>Images as a language model sees them, kept for those that come again.</summary>
/// <param name="model">Vision tower and projector; not disposed with this.</param>
/// <param name="cacheBytes">Bytes of features kept.</param>
internal sealed class ImageFeatures(LlavaModel model, long cacheBytes) : IDisposable
{
    private readonly FeatureCache _cache = new(cacheBytes);

    /// <summary>An image's features (features, hidden), in the caller's scope; a new image is encoded by itself.</summary>
    /// <param name="image">The image.</param>
    /// <param name="outcome">Counts it.</param>
    public Tensor Get(ImageInput image, StepOutcome outcome) => Find(image, outcome) ?? Encode([image], outcome)[0];

    /// <summary>
    /// The features of a step's images by their content, in the caller's scope; new ones are encoded several at once. A batch that fails is left out, so that <see cref="Get"/> finds the
    /// image that is to blame.
    /// </summary>
    /// <param name="images">The images; the same one may come several times.</param>
    /// <param name="batch">Images that the tower sees at once at most.</param>
    /// <param name="outcome">Counts them.</param>
    public Dictionary<string, Tensor> GetAll(IEnumerable<ImageInput> images, int batch, StepOutcome outcome)
    {
        Dictionary<string, Tensor> all = [];
        List<ImageInput> missing = [];
        foreach (var image in images.DistinctBy(image => image.ContentHash))
        {
            if (Find(image, outcome) is { } known)
            {
                all.Add(image.ContentHash, known);
            }
            else
            {
                missing.Add(image);
            }
        }

        foreach (var together in missing.Chunk(batch))
        {
            try
            {
                foreach (var (image, features) in together.Zip(Encode(together, outcome)))
                {
                    all.Add(image.ContentHash, features);
                }
            }
            catch (Exception)
            {
                // Whoever needs one of them encodes it alone.
            }
        }

        return all;
    }

    /// <inheritdoc cref="IStepRunner.Embed"/>
    public float[] Embed(ImageInput image)
    {
        using var mode = inference_mode();
        using var scope = NewDisposeScope();
        var mean = See([image]).to(ScalarType.Float32).mean([1]).squeeze(0); // (hidden)
        return [.. mean.div(mean.norm()).cpu().data<float>()];
    }

    public void Dispose() => _cache.Dispose();

    private Tensor? Find(ImageInput image, StepOutcome outcome)
    {
        var known = _cache.Find(image);
        outcome.FeatureHits += known is null ? 0 : 1;
        return known;
    }

    /// <summary>Features of each image; one that is kept must not keep those that were encoded beside it.</summary>
    private Tensor[] Encode(ImageInput[] images, StepOutcome outcome)
    {
        using var scope = NewDisposeScope();
        var features = model.Projector.call(See(images)).unbind(0).Select(one => (images.Length == 1 ? one : one.clone()).MoveToOuterDisposeScope()).ToArray();
        outcome.ImagesEncoded += images.Length;
        foreach (var (image, one) in images.Zip(features))
        {
            _cache.Keep(image, one);
        }

        return features;
    }

    /// <summary>What the vision tower makes of images; a layer's temporaries are freed when it is done, or those of all layers take gigabytes.</summary>
    private Tensor See(ImageInput[] images)
    {
        using LayerScopes layers = new();
        return layers.Close(model.Vision.Observed(Pixels(images), layers.Next));
    }

    /// <summary>(images, 3, side, side) on the tower's device.</summary>
    private Tensor Pixels(ImageInput[] images) =>
        stack(images.Select(image => tensor(image.Pixels, [3, image.Side, image.Side]))).Upload(model.Vision.parameters().First().device);
}
