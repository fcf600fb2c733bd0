using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Quantization;

/// <summary>
/// x·Wᵀ with a frozen weight in NF4, which is dequantized for the product and once more for its gradient: between the two only its packed form is kept. On CUDA the graph keeps the
/// dequantized weight as long as it lives: gradients of a function like this one come on a thread of autograd's there, and nobody would free them.
/// </summary>
internal sealed class Nf4Product : autograd.SingleTensorFunction<Nf4Product>
{
    private const string Weight = "weight";

    /// <inheritdoc/>
    public override string Name => nameof(Nf4Product);

    /// <summary>(…, inputs) → (…, outputs), in the input's type.</summary>
    public static Tensor Of(Tensor input, Nf4Weight weight)
    {
        if (input.device_type != DeviceType.CUDA)
        {
            return apply(input, weight);
        }

        using var full = weight.Dequantize(input.dtype);
        return nn.functional.linear(input, full);
    }

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (input, weight) = ((Tensor)vars[0], (Nf4Weight)vars[1]);
        ctx.save_data(Weight, weight);
        using var full = weight.Dequantize(input.dtype);
        return nn.functional.linear(input, full);
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using var full = ((Nf4Weight)ctx.get_data(Weight)).Dequantize(grad_output.dtype);
        return [grad_output.matmul(full), null!];
    }
}
