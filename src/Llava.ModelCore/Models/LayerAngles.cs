using static TorchSharp.torch;

namespace Llava.ModelCore.Models;

/// <summary>Cosine and sine that the blocks rotate by, on each device that has blocks; none where positions are told by the attention.</summary>
/// <param name="cosine">(tokens, 1, head size).</param>
/// <param name="sine">(tokens, 1, head size).</param>
/// <param name="devices">The devices.</param>
internal sealed class LayerAngles(Tensor? cosine, Tensor? sine, IReadOnlyList<Device> devices)
{
    private readonly Dictionary<string, (Tensor? Cosine, Tensor? Sine)> _copies = devices.ToDictionary(device => device.ToString(), device => (cosine?.to(device), sine?.to(device)));

    /// <summary>Those of one device.</summary>
    public (Tensor? Cosine, Tensor? Sine) On(Device device) => _copies[device.ToString()];
}
