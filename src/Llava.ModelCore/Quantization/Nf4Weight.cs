using Llava.ModelCore.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Quantization;

/// <summary>A weight in NF4 with double quantization: about 4.13 bits per value (QLoRA, section 3).</summary>
public sealed class Nf4Weight : IDisposable
{
    private readonly long[] _shape;
    private readonly Tensor _pairs;

    private Nf4Weight(long[] shape, Tensor packed, Tensor magnitudeCodes, Tensor magnitudeScales, Tensor offset, Tensor pairs) =>
        (_shape, Packed, MagnitudeCodes, MagnitudeScales, Offset, _pairs) = (shape, packed, magnitudeCodes, magnitudeScales, offset, pairs);

    /// <summary>uint8: two codes in a byte, row by row, the first in the high half.</summary>
    public Tensor Packed { get; }

    /// <summary>uint8: the blocks' magnitudes, less their mean, in the dynamic code.</summary>
    public Tensor MagnitudeCodes { get; }

    /// <summary>float32: the largest of each 256 magnitudes.</summary>
    public Tensor MagnitudeScales { get; }

    /// <summary>float32 scalar: mean of the blocks' magnitudes.</summary>
    public Tensor Offset { get; }

    /// <summary>Quantizes a weight; it is left as it is.</summary>
    public static Nf4Weight Of(Tensor weight)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var (packed, magnitudes) = Nf4.Quantize(weight);
        var offset = magnitudes.mean();
        var (codes, scales) = DynamicCode.Signed.Quantize(magnitudes.add(offset, Scalars.Of(-1)));
        return new(weight.shape, Kept(packed), Kept(codes), Kept(scales), Kept(offset), Kept(Nf4.Pairs(weight.device)));

        static Tensor Kept(Tensor tensor) => tensor.DetachFromDisposeScope();
    }

    /// <summary>The weight again, in its shape; the caller owns it.</summary>
    public Tensor Dequantize(ScalarType type)
    {
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        var magnitudes = DynamicCode.Signed.Dequantize(MagnitudeCodes, MagnitudeScales).add(Offset, Scalars.One);
        var values = _pairs.index_select(0, Packed.to(ScalarType.Int32)).view(-1, Nf4.Block).mul(magnitudes.unsqueeze(1));
        return values.flatten().narrow(0, 0, _shape.Aggregate(1L, (product, size) => product * size)).view(_shape).to(type).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in (ReadOnlySpan<Tensor>)[Packed, MagnitudeCodes, MagnitudeScales, Offset, _pairs])
        {
            tensor.Dispose();
        }
    }
}
