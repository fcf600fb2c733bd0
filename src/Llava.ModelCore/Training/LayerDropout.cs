using Llava.ModelCore.Adapters;
using Llava.ModelCore.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Training;

/// <summary>
/// What a layer leaves out, drawn from a seed of its own, so that it leaves out the same when it runs twice, whatever else the process draws. TorchSharp makes generators for the CPU
/// only; a device's own generator is set to the seed instead, and nobody else here draws from it.
/// </summary>
internal sealed class LayerDropout : IDisposable
{
    private readonly DecoderLayer _layer;
    private readonly Generator? _random;

    /// <summary>Gives the layer what to draw from, until this is disposed.</summary>
    public LayerDropout(DecoderLayer layer, long seed)
    {
        _layer = layer;
        if (layer.Device.type == DeviceType.CUDA)
        {
            cuda.manual_seed_all(seed);
            return;
        }

        _random = new((ulong)seed, layer.Device);
        DrawFrom(_random);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        DrawFrom(null);
        _random?.Dispose();
    }

    private void DrawFrom(Generator? random)
    {
        foreach (var adapter in _layer.modules().OfType<LoraFactors>())
        {
            adapter.Random = random;
        }
    }
}
