using Llava.ModelCore.Checkpoints;
using static TorchSharp.torch;

namespace Llava.ModelCore.Models;

/// <summary>
/// Which device each decoder layer is on, for models that are larger than one: each device has consecutive layers and about as many bytes as the others. Vision tower, projector and
/// embeddings are on the first, the final norm and the head on that of the last layer. Devices work one after the other, never at the same time.
/// </summary>
public sealed class LayerPlacement
{
    private LayerPlacement(Device first, IReadOnlyList<Device> layers) => (First, Layers) = (first, layers);

    /// <summary>Where vision tower, projector and embeddings are.</summary>
    public Device First { get; }

    /// <summary>The device of each layer.</summary>
    public IReadOnlyList<Device> Layers { get; }

    /// <summary>Shares a model out.</summary>
    /// <param name="config">The model.</param>
    /// <param name="devices">In the order in which the layers go through them.</param>
    /// <exception cref="LayerPlacementException">There are more devices than layers.</exception>
    public static LayerPlacement Over(LlavaConfig config, IReadOnlyList<Device> devices) => new(devices[0], [.. Shares(config, devices.Count).Select(index => devices[index])]);

    /// <summary>Everything on one device.</summary>
    internal static LayerPlacement On(LlavaConfig config, Device device) => new(device, [.. Enumerable.Repeat(device, config.LanguageModel.Layers)]);

    /// <summary>Which of so many devices each layer is on.</summary>
    /// <exception cref="LayerPlacementException">There are more devices than layers.</exception>
    internal static IEnumerable<int> Shares(LlavaConfig config, int devices)
    {
        var layers = config.LanguageModel.Layers;
        if (devices > layers)
        {
            throw new LayerPlacementException($"{devices} devices are named for the {layers} layers of the decoder; name at most as many.");
        }

        var parts = ModelParameters.Of(config).ToLookup(PlaceOf, parameter => parameter.Shape.Aggregate(1L, (product, size) => product * size));
        var (before, layer) = (parts[Place.BeforeLayers].Sum(), parts[Place.InLayers].Sum() / layers);
        var each = (double)(before + (layer * layers) + parts[Place.BehindLayers].Sum()) / devices;
        return Enumerable.Range(0, layers).Select(i => (int)Math.Min(devices - 1, (before + ((i + 0.5) * layer)) / each));
    }

    private enum Place
    {
        BeforeLayers,
        InLayers,
        BehindLayers,
    }

    private static Place PlaceOf(ModelParameter parameter) => parameter.Name switch
    {
        _ when parameter.Name.StartsWith("language_model.layers.", StringComparison.Ordinal) => Place.InLayers,
        _ when parameter.Name.StartsWith("language_model.norm", StringComparison.Ordinal) || parameter.Name.StartsWith("language_model.lm_head", StringComparison.Ordinal) => Place.BehindLayers,
        _ => Place.BeforeLayers,
    };
}
