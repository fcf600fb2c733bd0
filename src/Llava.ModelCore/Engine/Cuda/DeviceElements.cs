using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Kernels.Cuda;
using Llava.ModelCore.Native;
using Llava.ModelCore.Native.Shim;
using static TorchSharp.torch;

namespace Llava.ModelCore.Engine.Cuda;

/// <summary>What lies between the products, by our kernels or by torch's operations; both round to bfloat16 at the same places.</summary>
/// <param name="session">The device.</param>
/// <param name="options">Which of the two.</param>
/// <param name="config">The decoder.</param>
internal sealed class DeviceElements(CudaSession session, CudaOptions options, LanguageModelConfig config)
{
    private const int Vector = 8;

    /// <summary>Whether our kernels do it.</summary>
    public bool UsesKernels { get; } = options.FusedElements && config.HiddenSize % Vector == 0 && config.IntermediateSize % Vector == 0;

    /// <summary>residual += delta, output = RmsNorm(residual) · weight, as the next product takes it.</summary>
    /// <param name="residual">(rows, hidden), changed in place.</param>
    /// <param name="delta">(rows, hidden); null adds nothing.</param>
    /// <param name="weight">(hidden).</param>
    /// <param name="output">(rows, hidden), written.</param>
    /// <param name="next">Takes the output.</param>
    public void AddNorm(Tensor residual, Tensor? delta, Tensor weight, DeviceRows output, DeviceMatrix next)
    {
        if (UsesKernels && next.TakesFp8)
        {
            var (rows, columns) = ((int)residual.shape[0], (int)residual.shape[1]);
            Fp8Kernels.AddRmsNorm(session.Kernels, At(residual), delta is null ? 0 : At(delta), At(weight), output.Rounded!.Target, rows, columns, (float)config.NormEpsilon);
            return;
        }

        AddNorm(residual, delta, weight, output.Numbers);
        Round(output, next);
    }

    /// <summary>residual += delta, output = RmsNorm(residual) · weight.</summary>
    /// <param name="residual">(rows, hidden), changed in place.</param>
    /// <param name="delta">(rows, hidden); null adds nothing.</param>
    /// <param name="weight">(hidden).</param>
    /// <param name="output">(rows, hidden), written.</param>
    public void AddNorm(Tensor residual, Tensor? delta, Tensor weight, Tensor output)
    {
        if (UsesKernels)
        {
            var (rows, columns) = ((int)residual.shape[0], (int)residual.shape[1]);
            ElementKernels.AddRmsNorm(session.Kernels, At(residual), delta is null ? 0 : At(delta), At(weight), At(output), rows, columns, (float)config.NormEpsilon);
            return;
        }

        if (delta is not null)
        {
            residual.add_(delta, Scalars.One);
        }

        var x = residual.to(ScalarType.Float32);
        var scale = x.square().mean([-1L], keepdim: true).add(Scalars.Of(config.NormEpsilon)).rsqrt();
        output.copy_((x * scale).to(ScalarType.BFloat16) * weight);
    }

    /// <summary>output = silu(gate) · up, as the next product takes it.</summary>
    /// <param name="gates">(rows, 2 · intermediate): gate, then up.</param>
    /// <param name="output">(rows, intermediate), written.</param>
    /// <param name="next">Takes the output.</param>
    public void Gate(Tensor gates, DeviceRows output, DeviceMatrix next)
    {
        var (numbers, rows, columns) = (output.Numbers, (int)gates.shape[0], (int)output.Numbers.shape[1]);
        if (UsesKernels && next.TakesFp8)
        {
            Fp8Kernels.GatedActivation(session.Kernels, At(gates), output.Rounded!.Target, rows, columns);
            return;
        }

        if (UsesKernels)
        {
            ElementKernels.GatedActivation(session.Kernels, At(gates), At(numbers), rows, columns);
            return;
        }

        numbers.copy_(nn.functional.silu(gates.narrow(1, 0, columns)) * gates.narrow(1, columns, columns));
        Round(output, next);
    }

    /// <summary>Rounds rows that are made, if the next product takes them so.</summary>
    public void Round(DeviceRows rows, DeviceMatrix next)
    {
        if (next.TakesFp8)
        {
            Fp8Kernels.Quantize(session.Kernels, At(rows.Numbers), rows.Rounded!.Target, (int)rows.Numbers.shape[0], (int)rows.Numbers.shape[1]);
        }
    }

    /// <summary>output[row] = the embedding of the row's token.</summary>
    /// <param name="table">(vocabulary, hidden).</param>
    /// <param name="pass">The rows.</param>
    /// <param name="unread">int32: tokens that only the device knows, −1 for one that could not be chosen and whose row is dropped; null where there are none.</param>
    /// <param name="output">(rows, hidden), written.</param>
    public void Embed(Tensor table, DevicePass pass, Tensor? unread, Tensor output)
    {
        if (UsesKernels)
        {
            var (places, tokens) = unread is null ? (0, 0) : (pass.Block.Address(pass.Places), At(unread));
            ElementKernels.GatherRows(session.Kernels, At(table), pass.Block.Address(pass.Ids), places, tokens, At(output), (int)output.shape[0], (int)output.shape[1]);
            return;
        }

        var ids = pass.Block[pass.Ids];
        if (unread is not null)
        {
            var (places, first) = (pass.Block[pass.Places], Scalars.OfInteger(0));
            ids = where(places.lt(first), ids, unread.index_select(0, places.clamp_min(first)).clamp_min(first));
        }

        output.copy_(table.index_select(0, ids));
    }

    /// <summary>output[i] = input[rows[i]].</summary>
    /// <param name="input">(rows of the pass, hidden).</param>
    /// <param name="block">Has the numbers.</param>
    /// <param name="rows">int32: which rows.</param>
    /// <param name="output">(as many, hidden), written.</param>
    public void Gather(Tensor input, DeviceBlock block, BlockPart rows, Tensor output)
    {
        if (UsesKernels)
        {
            ElementKernels.GatherRows(session.Kernels, At(input), block.Address(rows), 0, 0, At(output), rows.Count, (int)input.shape[1]);
            return;
        }

        output.copy_(input.index_select(0, block[rows]));
    }

    /// <summary>The same numbers in float32.</summary>
    /// <param name="input">bfloat16.</param>
    /// <param name="output">float32 of the same shape, written.</param>
    public void Widen(Tensor input, Tensor output)
    {
        if (UsesKernels)
        {
            ElementKernels.Widen(session.Kernels, At(input), At(output), output.numel());
            return;
        }

        output.copy_(input);
    }

    private static nint At(Tensor tensor) => StableShim.Address(tensor.Handle);
}
