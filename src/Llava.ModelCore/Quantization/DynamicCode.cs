using Llava.ModelCore.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Quantization;

/// <summary>
/// bitsandbytes' dynamic 8-bit code (Dettmers 2016; Dettmers et al. 2022): 255 values whose spacing grows with their size, and zero, for blocks of 256 values that
/// share a scale. QLoRA's "double quantization" keeps magnitudes in it, an 8-bit optimizer its moments.
/// </summary>
internal sealed class DynamicCode
{
    /// <summary>Values that share one absolute maximum.</summary>
    public const int Block = 256;

    private const int Exponents = 7;

    private readonly float[] _values;
    private readonly float[] _boundaries;

    private DynamicCode(bool isSigned)
    {
        _values = Create(isSigned);
        _boundaries = [.. _values.Zip(_values.Skip(1), (low, high) => (float)(((double)low + high) / 2))];
    }

    /// <summary>From −1 to 1.</summary>
    public static DynamicCode Signed { get; } = new(isSigned: true);

    /// <summary>From 0 to 1, with twice the steps.</summary>
    public static DynamicCode Unsigned { get; } = new(isSigned: false);

    /// <summary>The 256 values, ascending.</summary>
    public ReadOnlySpan<float> Values => _values;

    /// <summary>The 256 values, float32, ascending.</summary>
    public Tensor Map(Device device) => tensor(_values).Upload(device);

    /// <summary>Values to codes.</summary>
    /// <param name="value">float32, of one dimension.</param>
    /// <returns>uint8 codes; float32, the largest magnitude of each block.</returns>
    public (Tensor Codes, Tensor Magnitudes) Quantize(Tensor value)
    {
        using var scope = NewDisposeScope();
        var (scaled, magnitudes) = ScaledBlocks.Of(value, Block);
        var codes = bucketize(scaled, tensor(_boundaries).Upload(value.device)).to(ScalarType.Byte).flatten().narrow(0, 0, value.shape[0]).clone();
        return (codes.MoveToOuterDisposeScope(), magnitudes.MoveToOuterDisposeScope());
    }

    /// <summary>Codes back to values: float32, of one dimension.</summary>
    public Tensor Dequantize(Tensor codes, Tensor magnitudes)
    {
        using var scope = NewDisposeScope();
        var values = Map(codes.device).index_select(0, codes.to(ScalarType.Int32));
        return ScaledBlocks.Cut(values, Block).mul(magnitudes.unsqueeze(1)).flatten().narrow(0, 0, values.shape[0]).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// For each power of ten from 10⁻⁶ to 1, twice as many steps as for the one before, the middles of equal parts of [0.1, 1]; without a sign, its bit doubles them.
    /// </summary>
    private static float[] Create(bool isSigned)
    {
        List<float> values = [0, 1];
        for (var exponent = 0; exponent < Exponents; exponent++)
        {
            var steps = (isSigned ? 1 : 2) << exponent;
            var scale = Math.Pow(10, exponent - (Exponents - 1));
            for (var step = 0; step < steps; step++)
            {
                // float32 as torch.linspace gives it, then the middle.
                var (low, high) = ((float)(0.1 + (0.9 * step / steps)), (float)(0.1 + (0.9 * (step + 1) / steps)));
                var value = (float)(scale * ((low + high) / 2));
                values.AddRange(isSigned ? [value, -value] : [value]);
            }
        }

        return [.. values.Order()];
    }
}
