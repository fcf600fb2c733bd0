using static TorchSharp.torch;

namespace Llava.ModelCore.Models;

/// <summary>An attention on each device that has layers; what it looks things up in has to be where its layers are.</summary>
internal sealed class PlacedAttention : IAttention
{
    private readonly Dictionary<string, IAttention> _attentions;

    private PlacedAttention(Dictionary<string, IAttention> attentions) => _attentions = attentions;

    /// <summary>Makes one for each device; where there is one device, it is that one.</summary>
    public static IAttention On(IReadOnlyList<Device> devices, Func<Device, IAttention> make) =>
        devices is [var only] ? make(only) : new PlacedAttention(devices.ToDictionary(device => device.ToString(), make));

    /// <inheritdoc/>
    public Tensor Attend(int layer, Tensor query, Tensor key, Tensor value) => _attentions[query.device.ToString()].Attend(layer, query, key, value);
}
