using Llava.ModelCore.Kernels.Cuda;
using Llava.ModelCore.Kernels.Threads;
using Llava.ModelCore.Native.Shim;
using static TorchSharp.torch;

namespace Llava.ModelCore.Engine.Cuda;

/// <summary>A matrix in four bits: products of a few rows read the codes themselves, others a copy in bfloat16 that is made for them and forgotten.</summary>
internal sealed class FourBitMatrix : DeviceMatrix
{
    private readonly CudaSession _session;
    private readonly Tensor _codes;
    private readonly Tensor _scales;
    private readonly FourBitWeight _weight;
    private readonly Tensor _plain;

    /// <param name="session">The device.</param>
    /// <param name="isNf4">NF4, or <c>int4</c>.</param>
    /// <param name="parts">Each (outputs, inputs) of any type, one below the other; disposed here.</param>
    /// <param name="scratch">bfloat16, as many numbers as the largest matrix has; shared by all, not disposed here.</param>
    /// <param name="pool">Threads that round.</param>
    public FourBitMatrix(CudaSession session, bool isNf4, IReadOnlyList<Tensor> parts, Tensor scratch, WorkerPool pool)
    {
        _session = session;
        using var scope = NewDisposeScope();
        var (rows, columns, row) = (parts.Sum(part => part.shape[0]), parts[0].shape[1], 0L);
        // Memory of torch's own, whose beginning is where our kernels want it.
        _codes = empty(rows, columns / FourBitCodes.PerByte, ScalarType.Byte, session.Device).DetachFromDisposeScope();
        _scales = empty(rows, columns / FourBitCodes.GroupOf(isNf4), isNf4 ? ScalarType.Float32 : ScalarType.Int16, session.Device).DetachFromDisposeScope();
        foreach (var part in parts)
        {
            var (codes, scales) = FourBitCodes.Of(part, isNf4, pool);
            _codes.narrow(0, row, codes.shape[0]).copy_(codes);
            _scales.narrow(0, row, scales.shape[0]).copy_(scales);
            row += codes.shape[0];
            part.Dispose();
        }

        _weight = new FourBitWeight(StableShim.Address(_codes.Handle), StableShim.Address(_scales.Handle), (int)rows, (int)columns, isNf4);
        _plain = scratch.narrow(0, 0, rows * columns).view(rows, columns).t().DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    public override long Bytes => (_codes.numel() * _codes.ElementSize) + (_scales.numel() * _scales.ElementSize);

    /// <inheritdoc/>
    public override void Multiply(DeviceRows input, Tensor output)
    {
        var (numbers, rows) = (input.Numbers, (int)input.Numbers.shape[0]);
        if (rows <= FourBitWeight.MaxTokens)
        {
            _weight.Multiply(_session.Kernels, StableShim.Address(numbers.Handle), StableShim.Address(output.Handle), rows);
            return;
        }

        _weight.Dequantize(_session.Kernels, StableShim.Address(_plain.Handle));
        StableShim.MultiplyInto(output.Handle, numbers.Handle, _plain.Handle, _session.IsCuda);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _plain.Dispose();
        _codes.Dispose();
        _scales.Dispose();
    }
}
