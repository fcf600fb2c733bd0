using Llava.ModelCore.Native.Shim;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Engine.Cuda;

/// <summary>A matrix in bfloat16, multiplied by libtorch.</summary>
internal sealed class DenseMatrix : DeviceMatrix
{
    private readonly Tensor _weight;
    private readonly Tensor _transposed;
    private readonly bool _isCuda;

    /// <param name="device">Where it is to lie.</param>
    /// <param name="parts">Each (outputs, inputs) of any type, one below the other; disposed here.</param>
    public DenseMatrix(Device device, IReadOnlyList<Tensor> parts)
    {
        _isCuda = device.type == DeviceType.CUDA;
        _weight = empty(parts.Sum(part => part.shape[0]), parts[0].shape[1], ScalarType.BFloat16, device).DetachFromDisposeScope();
        _transposed = _weight.t().DetachFromDisposeScope();
        var row = 0L;
        foreach (var part in parts)
        {
            using var target = _weight.narrow(0, row, part.shape[0]);
            target.copy_(part).Dispose();
            row += part.shape[0];
            part.Dispose();
        }
    }

    /// <summary>(outputs, inputs), bfloat16.</summary>
    public Tensor Weight => _weight;

    /// <inheritdoc/>
    public override long Bytes => _weight.numel() * sizeof(ushort);

    /// <inheritdoc/>
    public override void Multiply(DeviceRows input, Tensor output) => StableShim.MultiplyInto(output.Handle, input.Numbers.Handle, _transposed.Handle, _isCuda);

    /// <inheritdoc/>
    public override void Dispose()
    {
        _transposed.Dispose();
        _weight.Dispose();
    }
}
