using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Kernels.Cuda;
using Llava.ModelCore.Native.Shim;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Engine.Cuda;

/// <summary>Keys and values in bfloat16.</summary>
internal sealed class HalfArena(CudaSession session, LanguageModelConfig config, int positions) : DeviceArena
{
    /// <inheritdoc/>
    public override KvArena Plain { get; } = new(config, positions, [.. Enumerable.Repeat(session.Device, config.Layers)], ScalarType.BFloat16);

    /// <inheritdoc/>
    public override KvLayer Layer(int layer) => new(StableShim.Address(Plain.Keys(layer).Handle), StableShim.Address(Plain.Values(layer).Handle));

    /// <inheritdoc/>
    public override void Write(int layer, Tensor positions, Tensor keys, Tensor values) => Plain.Write(layer, positions, keys, values);

    /// <inheritdoc/>
    public override int MakeReadable(int layer, DevicePass pass, int firstSpan) => layer;

    /// <inheritdoc/>
    public override void Copy(int source, int target, int count) => Plain.Copy(source, target, count);

    /// <inheritdoc/>
    public override void Dispose() => Plain.Dispose();
}
