using Llava.ModelCore.Kernels.Cuda;
using Llava.ModelCore.Native.Shim;
using static TorchSharp.torch;

namespace Llava.ModelCore.Engine.Cuda;

/// <summary>Rows that a product takes: in the one form or the other, as the matrix wants them.</summary>
/// <param name="Numbers">bfloat16 (rows, inputs).</param>
/// <param name="Rounded">The same in eight bits; null where no matrix takes them.</param>
internal sealed record DeviceRows(Tensor Numbers, Fp8Rows? Rounded = null)
{
    /// <summary>The tensors of both.</summary>
    public IEnumerable<Tensor> All => Rounded is null ? [Numbers] : [Numbers, Rounded.Codes, Rounded.Scales];
}

/// <summary>Rows in eight bits on the device.</summary>
/// <param name="Codes">e4m3 (rows, inputs).</param>
/// <param name="Scales">float32 (rows, 1).</param>
internal sealed record Fp8Rows(Tensor Codes, Tensor Scales)
{
    /// <summary>Where kernels write them.</summary>
    public Fp8Target Target => new(StableShim.Address(Codes.Handle), StableShim.Address(Scales.Handle));
}
