using Llava.ModelCore.Kernels.Cuda;
using Llava.ModelCore.Native.Cuda;
using Llava.ModelCore.Native.Shim;
using static TorchSharp.torch;

namespace Llava.ModelCore.Engine.Cuda;

/// <summary>A matrix in eight bits with a scale for each output, multiplied by libtorch with rows in eight bits (decision 21).</summary>
internal sealed class Fp8Matrix : DeviceMatrix
{
    // What libtorch's product asks of inputs and outputs.
    private const int Step = 16;
    private const int LeastCapability = 89;

    private readonly bool _isCuda;
    private readonly Tensor _codes;
    private readonly Tensor _scales;
    private readonly Tensor _transposed;

    /// <param name="session">The device.</param>
    /// <param name="parts">Each (outputs, inputs) of any type, one below the other; disposed here.</param>
    public Fp8Matrix(CudaSession session, IReadOnlyList<Tensor> parts)
    {
        using var scope = NewDisposeScope();
        _isCuda = session.IsCuda;
        var (rows, columns, row) = (parts.Sum(part => part.shape[0]), parts[0].shape[1], 0L);
        _codes = empty(rows, columns, ScalarType.Byte, session.Device).DetachFromDisposeScope();
        _scales = empty(1, rows, ScalarType.Float32, session.Device).DetachFromDisposeScope();
        _transposed = StableShim.AsFloat8(_codes).t().DetachFromDisposeScope();
        foreach (var part in parts)
        {
            using var numbers = part.to(ScalarType.BFloat16, session.Device).contiguous();
            Fp8Target target = new(StableShim.Address(_codes.Handle) + (nint)(row * columns), StableShim.Address(_scales.Handle) + (nint)(row * sizeof(float)));
            Fp8Kernels.Quantize(session.Kernels, StableShim.Address(numbers.Handle), target, (int)part.shape[0], (int)columns);
            row += part.shape[0];
            part.Dispose();
        }
    }

    /// <inheritdoc/>
    public override bool TakesFp8 => true;

    // What libtorch's product by rows works with is its own affair.
    /// <inheritdoc/>
    public override bool IsRecordable => false;

    /// <inheritdoc/>
    public override long Bytes => _codes.numel() + (_scales.numel() * sizeof(float));

    /// <summary>Whether a matrix can be kept so; others stay in bfloat16.</summary>
    public static bool Fits(IReadOnlyList<long> shape) => shape[0] % Step == 0 && shape[1] % Step == 0;

    /// <summary>Bytes of a matrix that fits.</summary>
    public static long BytesOf(IReadOnlyList<long> shape) => checked((shape[0] * shape[1]) + (shape[0] * sizeof(float)));

    /// <summary>Whether a device multiplies eight bits.</summary>
    public static bool IsCapable(ComputeCapability capability) => capability.Number >= LeastCapability;

    /// <summary>Refuses a device that does not multiply eight bits.</summary>
    /// <exception cref="CudaException">It is older; the message says what to do.</exception>
    public static void RequireCapability(string name, ComputeCapability capability)
    {
        if (!IsCapable(capability))
        {
            throw new CudaException($"'{name}' has compute capability {capability}, and products in eight bits (--quantize fp8) need 8.9 (Ada, Hopper) or later. Use --quantize none or int4 (Llava:Engine:Quantize), or another device.");
        }
    }

    /// <inheritdoc/>
    public override void Multiply(DeviceRows input, Tensor output)
    {
        var (codes, scales) = input.Rounded!;
        if (_isCuda)
        {
            StableShim.MultiplyScaledInto(output, codes, _transposed, scales, _scales, onCuda: true);
            return;
        }

        // The processor's product knows one scale for all: where it plays the device, the scales come afterwards.
        using var scope = NewDisposeScope();
        var (sums, one) = (empty(output.shape, ScalarType.Float32), ones(1));
        StableShim.MultiplyScaledInto(sums, codes, _transposed, one, one);
        output.copy_(sums * scales * _scales);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _transposed.Dispose();
        _codes.Dispose();
        _scales.Dispose();
    }
}
