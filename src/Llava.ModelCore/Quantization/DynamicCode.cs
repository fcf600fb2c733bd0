using Llava.ModelCore.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Quantization;

/// <summary>
/// bitsandbytes' signed dynamic 8-bit code (Dettmers 2016; Dettmers et al. 2022): 255 values whose spacing grows with their size, and zero. Magnitudes of
/// blocks are kept in it, 256 at a time, after their mean is taken off: the "double quantization" of QLoRA.
/// </summary>
internal static class DynamicCode
{
    /// <summary>Values that share one absolute maximum.</summary>
    public const int Block = 256;

    private const int Exponents = 7;

    private static readonly float[] Values = Create();
    private static readonly float[] Boundaries = [.. Values.Zip(Values.Skip(1), (low, high) => (float)(((double)low + high) / 2))];

    /// <summary>The 256 values, float32, ascending.</summary>
    public static Tensor Map(Device device) => tensor(Values).to(device);

    /// <summary>Values to codes.</summary>
    /// <param name="value">float32, of one dimension.</param>
    /// <returns>uint8 codes; float32, the largest magnitude of each block.</returns>
    public static (Tensor Codes, Tensor Magnitudes) Quantize(Tensor value)
    {
        using var scope = NewDisposeScope();
        var (scaled, magnitudes) = ScaledBlocks.Of(value, Block);
        var codes = bucketize(scaled, tensor(Boundaries).to(value.device)).to(ScalarType.Byte).flatten().narrow(0, 0, value.shape[0]).clone();
        return (codes.MoveToOuterDisposeScope(), magnitudes.MoveToOuterDisposeScope());
    }

    /// <summary>Codes back to values: float32, of one dimension.</summary>
    public static Tensor Dequantize(Tensor codes, Tensor magnitudes)
    {
        using var scope = NewDisposeScope();
        var values = Map(codes.device).index_select(0, codes.to(ScalarType.Int32));
        return ScaledBlocks.Cut(values, Block).mul(magnitudes.unsqueeze(1)).flatten().narrow(0, 0, values.shape[0]).MoveToOuterDisposeScope();
    }

    /// <summary>For each power of ten from 10⁻⁶ to 1, twice as many steps as for the one before, the middles of equal parts of [0.1, 1].</summary>
    private static float[] Create()
    {
        List<float> values = [0, 1];
        for (var exponent = 0; exponent < Exponents; exponent++)
        {
            var steps = 1 << exponent;
            var scale = Math.Pow(10, exponent - (Exponents - 1));
            for (var step = 0; step < steps; step++)
            {
                // float32 as torch.linspace gives it, then the middle.
                var (low, high) = ((float)(0.1 + (0.9 * step / steps)), (float)(0.1 + (0.9 * (step + 1) / steps)));
                var value = (float)(scale * ((low + high) / 2));
                values.AddRange([value, -value]);
            }
        }

        return [.. values.Order()];
    }
}
