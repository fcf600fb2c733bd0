using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Kernels.Files;
using Llava.ModelCore.Kernels.Linear;
using Llava.ModelCore.Kernels.Products;
using Llava.ModelCore.Kernels.Threads;
using Llava.ModelCore.Models;

namespace Llava.ModelCore.Engine;

/// <summary>
/// Vision tower and projector with their linear layers on our own kernels, weights in 16 bits: half the memory of float32 and a fraction of the time,
/// and no less exact than half precision, in which LLaVA's own tower runs.
/// </summary>
internal sealed class PackedTower : IDisposable
{
    private const string Weight = ".weight";

    private readonly WorkerPool _pool;
    private readonly LinearProducts _products;
    private readonly PackedTensors? _file;
    private readonly List<PackedLinear> _layers = [];

    private PackedTower(LlavaModel images, EngineOptions options, PackedTensors? file)
    {
        var (vision, projector) = (images.Config.Vision!, images.Config.Projector);
        (_pool, _file) = (new WorkerPool(options.ThreadCount), file);
        var widest = Math.Max(Math.Max(vision.HiddenSize, vision.IntermediateSize), Math.Max(projector?.InputSize ?? 0, projector?.OutputSize ?? 0));
        _products = new LinearProducts(_pool, IntegerKernels.Get(options.Kernel), vision.Patches + 1, widest, ImageMatrix.Format);
        var parameters = ModelParameters.Of(images.Config).Where(ModelParameters.IsImageMatrix).ToDictionary(parameter => parameter.Name);
        foreach (var (name, module) in images.named_modules())
        {
            if (module is LinearLayer layer && parameters.TryGetValue(name + Weight, out var parameter))
            {
                PackedLinear packed = new(file?.Image(parameter) ?? PackedLinear.Pack(layer.Weight, ImageMatrix.Format, _pool), layer.Bias);
                _layers.Add(packed);
                layer.Replace(input => _products.Multiply(input, packed));
            }
        }
    }

    /// <summary>Bytes of the packed layers.</summary>
    public long Bytes => _layers.Sum(layer => layer.Bytes);

    /// <summary>Packs the linear layers of a model, which lets go of its own, or takes them where they lie packed in a file.</summary>
    /// <param name="images">The model; its tower and projector are not to be used any more once this is disposed.</param>
    /// <param name="options">Kernel and threads.</param>
    /// <param name="checkpoint">Where the model comes from; null packs it as it is.</param>
    /// <returns>What holds them; null where the options keep images exact or there is no tower.</returns>
    /// <exception cref="CheckpointException">The file does not belong to the config.</exception>
    public static PackedTower? Pack(LlavaModel images, EngineOptions options, CheckpointFolder? checkpoint = null)
    {
        if (!options.RoundsImages || images.Config.Vision is null)
        {
            return null;
        }

        var file = checkpoint?.Packed is null ? null : PackedTensors.Open(checkpoint);
        try
        {
            return new PackedTower(images, options, file);
        }
        catch
        {
            file?.Dispose();
            throw;
        }
    }

    /// <summary>Bytes that a parameter takes in the tower, by its shape alone.</summary>
    public static long BytesOf(ModelParameter parameter, EngineOptions options) => options.RoundsImages && ModelParameters.IsImageMatrix(parameter)
        ? ImageMatrix.BytesOf(parameter)
        : sizeof(float) * parameter.Shape.Aggregate(1L, (count, size) => checked(count * size));

    /// <inheritdoc/>
    public void Dispose()
    {
        _products.Dispose();
        _layers.ForEach(layer => layer.Dispose());
        _file?.Dispose();
        _pool.Dispose();
    }
}
