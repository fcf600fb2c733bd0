using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Native;
using Llava.ModelCore.Quantization;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Parity;

/// <summary>NF4 with double quantization against bitsandbytes' definitions (case H): codes exact, values to 1e-6.</summary>
public sealed class QuantizationParityTests : IDisposable
{
    // Of the manifest: "indices and packed bytes exact …; dequantised values atol 1e-6".
    private const double Tolerance = 1e-6;

    private readonly DisposeScope _scope;
    private readonly SafeTensorsFile _expected;

    public QuantizationParityTests()
    {
        TorchLibrary.EnsureLoaded();
        _scope = NewDisposeScope();
        _expected = SafeTensorsFile.Open(Path.Combine(FixtureFolder.Case("H"), "expected.safetensors"));
    }

    public void Dispose()
    {
        _expected.Dispose();
        _scope.Dispose();
    }

    [Fact]
    public void Codes_and_magnitudes_are_those_of_bitsandbytes()
    {
        var (packed, magnitudes) = Nf4.Quantize(_expected.Read("weight_f16"));

        Close.Require("nf4.codebook", _expected.Read("nf4.codebook"), Nf4.CodeBook(), 0);
        Assert.Equal(_expected.Read("nf4.packed").bytes.ToArray(), packed.bytes.ToArray());
        Close.Require("nf4.absmax", _expected.Read("nf4.absmax"), magnitudes, 0);
    }

    [Fact]
    public void Magnitudes_are_quantized_once_more_as_by_bitsandbytes()
    {
        using var weight = Nf4Weight.Of(_expected.Read("weight_f16"));

        Close.Require("nf4dq.dynamic_map", _expected.Read("nf4dq.dynamic_map"), DynamicCode.Signed.Map(CPU), Tolerance);
        Close.Require("nf4dq.offset", _expected.Read("nf4dq.offset"), weight.Offset.view(1), Tolerance);
        Close.Require("nf4dq.absmax2", _expected.Read("nf4dq.absmax2"), weight.MagnitudeScales, Tolerance);
        // "absmax_index may differ by one code where the fp32 mean is summed in another order"
        Close.Require("nf4dq.absmax_index", _expected.Read("nf4dq.absmax_index").to(ScalarType.Float32), weight.MagnitudeCodes.to(ScalarType.Float32), 1);
        Assert.True(weight.MagnitudeCodes.eq(_expected.Read("nf4dq.absmax_index")).to(ScalarType.Float32).mean().item<float>() > 0.99);

        var rows = _expected.Entries.Single(entry => entry.Name.StartsWith("nf4dq.dequant_rows", StringComparison.Ordinal));
        Close.Require(rows.Name, _expected.Read(rows.Name), weight.Dequantize(ScalarType.Float32).narrow(0, 0, rows.Shape[0]), 1e-5);
    }

    [Theory]
    [InlineData(7, 9)]
    [InlineData(3, 64)]
    [InlineData(65, 130)]
    public void Any_shape_comes_back_close_to_what_it_was(long rows, long columns)
    {
        var value = randn(rows, columns, generator: new Generator(5));
        using var weight = Nf4Weight.Of(value);

        var error = weight.Dequantize(ScalarType.Float32).add(value, Scalars.Of(-1)).square().mean().sqrt().item<float>();

        Assert.Equal(value.shape, weight.Dequantize(ScalarType.Float32).shape);
        // Normal values in sixteen steps lose about a tenth.
        Assert.InRange(error, 0.02, 0.14);
        Assert.True(zeros(4, 64).Equals(Dequantized(zeros(4, 64))));
    }

    [Fact]
    public void The_product_with_a_packed_weight_and_its_gradient_are_those_of_the_dequantized_one()
    {
        using var weight = Nf4Weight.Of(randn(24, 40, generator: new Generator(6)));
        var (packed, plain) = (randn(5, 40, generator: new Generator(7)).requires_grad_(), randn(5, 40, generator: new Generator(7)).requires_grad_());
        var full = weight.Dequantize(ScalarType.Float32);

        Nf4Product.Of(packed, weight).square().sum().backward();
        nn.functional.linear(plain, full).square().sum().backward();

        Close.Require("gradient", plain.grad!, packed.grad!, 1e-4);
    }

    private static Tensor Dequantized(Tensor value)
    {
        using var weight = Nf4Weight.Of(value);
        return weight.Dequantize(ScalarType.Float32);
    }
}
