using Llava.ModelCore.Native.Shim;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Engine.Cuda;

/// <summary>A weight matrix in bfloat16, which may be several of a checkpoint below each other, so that one product serves them all.</summary>
internal sealed class DeviceMatrix : IDisposable
{
    private readonly Tensor _weight;
    private readonly Tensor _transposed;
    private readonly bool _isCuda;

    /// <param name="device">Where it is to lie.</param>
    /// <param name="parts">Each (outputs, inputs) of any type, one below the other; disposed here.</param>
    public DeviceMatrix(Device device, params IReadOnlyList<Tensor> parts)
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

    /// <summary>output = input · weightᵀ.</summary>
    /// <param name="input">bfloat16 (rows, inputs).</param>
    /// <param name="output">bfloat16 (rows, outputs), written.</param>
    public void Multiply(Tensor input, Tensor output) => StableShim.MultiplyInto(output.Handle, input.Handle, _transposed.Handle, _isCuda);

    /// <inheritdoc/>
    public void Dispose()
    {
        _transposed.Dispose();
        _weight.Dispose();
    }
}
