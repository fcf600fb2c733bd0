using Llava.ModelCore.Models;
using static TorchSharp.torch;

namespace Llava.ModelCore.Engine;

/// <summary>Images as a language model sees them, encoded one by one and kept for those that come again.</summary>
/// <param name="model">Vision tower and projector; not disposed with this.</param>
/// <param name="cacheBytes">Bytes of features kept.</param>
internal sealed class ImageFeatures(LlavaModel model, long cacheBytes) : IDisposable
{
    private readonly FeatureCache _cache = new(cacheBytes);

    /// <summary>An image's features (features, hidden), in the caller's scope.</summary>
    /// <param name="image">The image.</param>
    /// <param name="outcome">Counts it.</param>
    public Tensor Get(ImageInput image, StepOutcome outcome)
    {
        var features = _cache.Get(image, Encode, out var isHit);
        (outcome.FeatureHits, outcome.ImagesEncoded) = (outcome.FeatureHits + (isHit ? 1 : 0), outcome.ImagesEncoded + (isHit ? 0 : 1));
        return features;
    }

    /// <inheritdoc cref="IStepRunner.Embed"/>
    public float[] Embed(ImageInput image)
    {
        using var mode = inference_mode();
        using var scope = NewDisposeScope();
        var mean = See(image).to(ScalarType.Float32).mean([1]).squeeze(0); // (hidden)
        return [.. mean.div(mean.norm()).cpu().data<float>()];
    }

    public void Dispose() => _cache.Dispose();

    private Tensor Encode(ImageInput image)
    {
        using var scope = NewDisposeScope();
        return model.Projector.call(See(image)).squeeze(0).MoveToOuterDisposeScope();
    }

    /// <summary>What the vision tower makes of an image; a layer's temporaries are freed when it is done, or those of all layers take gigabytes.</summary>
    private Tensor See(ImageInput image)
    {
        using LayerScopes layers = new();
        return layers.Close(model.Vision.Observed(Pixels(image), layers.Next));
    }

    private Tensor Pixels(ImageInput image) => tensor(image.Pixels, [1, 3, image.Side, image.Side], device: model.Vision.parameters().First().device);
}
