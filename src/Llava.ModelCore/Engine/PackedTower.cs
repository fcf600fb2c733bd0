using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Kernels.Linear;
using Llava.ModelCore.Kernels.Products;
using Llava.ModelCore.Kernels.Threads;
using Llava.ModelCore.Kernels.Weights;
using Llava.ModelCore.Models;

namespace Llava.ModelCore.Engine;

/// <summary>
/// Vision tower and projector with their linear layers on our own kernels, weights in 16 bits: half the memory of float32 and a fraction of the time,
/// and no less exact than half precision, in which LLaVA's own tower runs.
/// </summary>
internal sealed class PackedTower : IDisposable
{
    private const WeightFormat Format = WeightFormat.Int16;

    private readonly WorkerPool _pool;
    private readonly LinearProducts _products;
    private readonly List<PackedLinear> _layers = [];

    private PackedTower(LlavaModel images, EngineOptions options)
    {
        var (vision, projector) = (images.Config.Vision!, images.Config.Projector);
        _pool = new WorkerPool(options.ThreadCount);
        var widest = Math.Max(Math.Max(vision.HiddenSize, vision.IntermediateSize), Math.Max(projector?.InputSize ?? 0, projector?.OutputSize ?? 0));
        _products = new LinearProducts(_pool, IntegerKernels.Get(options.Kernel), vision.Patches + 1, widest, Format);
        var modules = images.Vision.modules().Concat(projector is null ? [] : images.Projector.modules());
        foreach (var layer in modules.OfType<LinearLayer>())
        {
            PackedLinear packed = new(layer.Weight, layer.Bias, Format, _pool);
            _layers.Add(packed);
            layer.Replace(input => _products.Multiply(input, packed));
        }
    }

    /// <summary>Bytes of the packed layers.</summary>
    public long Bytes => _layers.Sum(layer => layer.Bytes);

    /// <summary>Packs the linear layers of a model, which lets go of its own.</summary>
    /// <param name="images">The model; its tower and projector are not to be used any more once this is disposed.</param>
    /// <param name="options">Kernel and threads.</param>
    /// <returns>What holds them; null where the options keep images exact or there is no tower.</returns>
    public static PackedTower? Pack(LlavaModel images, EngineOptions options) =>
        options.RoundsImages && images.Config.Vision is not null ? new PackedTower(images, options) : null;

    /// <summary>Bytes that a parameter takes in the tower, by its shape alone.</summary>
    public static long BytesOf(ModelParameter parameter, EngineOptions options)
    {
        var isLinear = parameter.Shape.Count == 2
            && (parameter.Name.StartsWith(ModelParameters.VisionTower + "layers.", StringComparison.Ordinal) || parameter.Name.StartsWith(ModelParameters.Projector, StringComparison.Ordinal));
        return isLinear && options.RoundsImages
            ? Panel.Count((int)parameter.Shape[0]) * Panel.Bytes(Format, (int)parameter.Shape[1])
            : sizeof(float) * parameter.Shape.Aggregate(1L, (count, size) => checked(count * size));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _products.Dispose();
        _layers.ForEach(layer => layer.Dispose());
        _pool.Dispose();
    }
}
